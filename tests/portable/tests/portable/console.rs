//! A console of Windows: Ctrl-C, and a person who is asked for a password, or looks on.

use std::path::{Path, PathBuf};

use securid_portable_tests::system::console::Console;
use securid_portable_tests::{Client, House, PASSWORD, eventually};
use securid_simulator::Fault;

/// How a program ends that leaves Ctrl-C to the system (STATUS_CONTROL_C_EXIT).
/// Wine's system ends them with 0, so the one that is run here does it itself.
const BY_CTRL_C: i32 = 0xC000_013A_u32.cast_signed();

fn child() -> PathBuf {
    std::path::absolute(env!("CARGO_BIN_EXE_securid-child")).unwrap()
}

/// A daemon at a console, which answers.
fn daemon(house: &House) -> Console {
    let console = Console::open(house, &child(), &house.daemon_command());
    eventually("the daemon to answer", || Client::connect(&house.endpoint()).ok());
    console
}

/// `securid-ctl` with these words, at a console.
fn ctl(house: &House, words: &[&str]) -> Console {
    let mut command = house.ctl_command();
    command.args(words);
    Console::open(house, &child(), &command)
}

/// `exec` with these options, of a program that says when it runs, and ends by Ctrl-C.
fn exec(house: &House, options: &[&str], ready: &Path) -> Console {
    let (child, status) = (child(), BY_CTRL_C.to_string());
    let words =
        ["--", child.to_str().unwrap(), "await-interrupt", ready.to_str().unwrap(), &status];
    ctl(house, &[&["exec"], options, &words[..]].concat())
}

#[test]
fn ctrl_c_stops_the_daemon() {
    let house = House::build("");
    let mut console = daemon(&house);
    let (_, token) = house.add();
    console.interrupt();
    assert_eq!(console.wait().code(), Some(0), "{}", console.said());
    assert!(!house.fate(&token).alive);
    house.assert_all_is_over();
}

#[test]
fn the_second_one_does_not_wait_and_loses_nothing() {
    let mut house = House::build("");
    let mut console = daemon(&house);
    let (id, token) = house.add();
    house.simulator.set_fault(Some(Fault::Hang));
    console.interrupt();
    house.eventually_true("the first attempt", |truth| {
        truth.token(&token).is_some_and(|token| token.logout_requests == 1)
    });
    console.interrupt();
    assert_eq!(console.wait().code(), Some(0), "{}", console.said());
    assert_eq!((house.records(), house.secrets()), (1, 1));
    house.simulator.set_fault(None);
    house.start();
    assert_eq!(house.eventually_ended(&id)["reason"], "shutdown");
    house.assert_all_is_over();
}

#[test]
fn ctrl_c_is_the_program_s_and_its_status_comes_whole() {
    let house = House::open("");
    let (id, token) = house.add();
    let ready = house.path("ready");
    let mut console = exec(&house, &[&id], &ready);
    eventually("the program", || ready.exists().then_some(()));
    console.interrupt();
    assert_eq!(console.wait().code(), Some(BY_CTRL_C), "{}", console.said());
    assert!(house.fate(&token).alive, "the session is not the program's own");
    assert!(house.ctl(&["logout"]).status.success());
    house.assert_all_is_over();
}

#[test]
fn a_session_of_a_program_s_own_ends_with_it_by_ctrl_c_too() {
    let house = House::open("");
    let ready = house.path("ready");
    let mut console = exec(&house, &["--login"], &ready);
    console.eventually_shows("assword");
    console.type_in(&format!("{PASSWORD}\r"));
    eventually("the program", || ready.exists().then_some(()));
    console.interrupt();
    assert_eq!(console.wait().code(), Some(BY_CTRL_C), "{}", console.said());
    assert_eq!(house.simulator.truth().tokens.len(), 1);
    house.assert_all_is_over();
}

#[test]
fn a_person_is_asked_for_the_password() {
    let house = House::open("");
    let mut console = ctl(&house, &["login"]);
    console.eventually_shows("assword");
    console.type_in(&format!("{PASSWORD}\r"));
    assert_eq!(console.wait().code(), Some(0), "{}", console.said());
    assert_eq!(house.simulator.truth().logins_ok, 1);
    let id = house.sessions()[0]["id"].as_str().unwrap().to_owned();
    let screen = console.eventually_shows(&id);
    assert!(!screen.contains(PASSWORD), "it is not shown: {screen}");
    // Ctrl-C instead of an answer.
    let mut console = ctl(&house, &["login", "--replace"]);
    console.eventually_shows("assword");
    console.type_in("\x03");
    assert_eq!(console.wait().code(), Some(130), "{}", console.said());
    assert_eq!(house.simulator.truth().logins_ok, 1);
    assert!(house.ctl(&["logout"]).status.success());
    house.assert_all_is_over();
}

#[test]
fn a_person_looks_on_until_ctrl_c() {
    let house = House::open("");
    let (id, _) = house.add();
    let mut console = ctl(&house, &["watch"]);
    console.eventually_shows(&id);
    assert!(house.ctl(&["logout", &id]).status.success());
    // Wine's console takes no sequences, so what is shown is a stream and no table.
    console.eventually_shows("\"event\":\"ended\"");
    console.interrupt();
    assert_eq!(console.wait().code(), Some(130), "{}", console.said());
    house.assert_all_is_over();
}
