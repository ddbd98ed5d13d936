//! Add, log in, lend, run and log out, by the command line; secrets are nowhere but in keyring and server.

use std::io::Write as _;
use std::thread;
use std::time::Duration;

use securid_portable_tests::system::{KEYRING, SURVIVES};
use securid_portable_tests::{
    House, PASSWORD, PATIENCE, Process, code, eventually, json_of, stderr, stdout,
};
use serde_json::{Value, json};

const CHILD: &str = env!("CARGO_BIN_EXE_securid-child");

#[test]
fn by_the_command_line() {
    let mut house = House::open("");
    let taken = house.ctl_with(&["login", "--password-stdin", "--json"], PASSWORD);
    assert_eq!(code(&taken), 0, "{taken:?}");
    assert_eq!(json_of(&taken)["warning"].is_null(), SURVIVES, "{taken:?}");
    let first = json_of(&taken)["id"].as_str().unwrap().to_owned();
    let made = house.simulator.truth().tokens[0].token.clone();
    let brought = house.simulator.issue("alice");
    let added = house.ctl_with(&["add", "--token-stdin", "--json"], &format!("{brought}\n"));
    assert_eq!(code(&added), 0, "{added:?}");
    let second = json_of(&added)["id"].as_str().unwrap().to_owned();
    let again = house.ctl_with(&["add", "--token-stdin", "--json"], &brought);
    assert_eq!(json_of(&again)["id"], json!(second), "one that is held already is its session");
    assert_eq!((house.records(), house.secrets()), (2, 2));

    let list = house.ctl(&["list", "--json"]);
    let sessions = json_of(&list)["sessions"].as_array().unwrap().clone();
    assert_eq!(sessions.len(), 2, "{list:?}");
    for session in &sessions {
        let told = ["state", "instance", "username", "keyring"].map(|key| &session[key]);
        assert_eq!(told, ["active", "prod", "alice", KEYRING], "{session}");
        assert_eq!(session["url"], json!(format!("{}/command.submit", house.simulator.url())));
        assert_eq!(session["revocation"], Value::Null);
    }
    let table = stdout(&house.ctl(&["list"]));
    assert!(table.contains(&first) && table.contains("active"), "{table}");
    let status = house.ctl(&["status", "--json"]);
    assert_eq!(code(&status), 0, "{status:?}");
    let ready = json!({"kind": KEYRING, "state": "ready", "survives_reboot": SURVIVES});
    assert_eq!(json_of(&status)["keyring"], ready);
    assert_eq!(json_of(&status)["pid"], json!(house.daemon().pid()));

    assert_eq!(stdout(&house.ctl(&["token", &first])), format!("{made}\n"));
    assert_eq!(json_of(&house.ctl(&["token", &second, "--json"]))["token"], json!(brought));
    assert_eq!(code(&house.ctl(&["check", &first])), 0);
    assert_eq!(code(&house.ctl(&["check", &first, "--remaining", "1m"])), 0);
    assert_eq!(code(&house.ctl(&["check", &first, "--remaining", "9h"])), 66);

    let ended = house.ctl(&["logout", &first, "--json"]);
    assert_eq!(code(&ended), 0, "{ended:?}");
    assert_eq!(json_of(&ended)["sessions"][0]["outcome"], "revoked");
    assert_eq!(house.simulator.truth().alive(), [brought.as_str()]);
    assert_eq!(code(&house.ctl(&["token", &first])), 66);
    assert_eq!(code(&house.ctl(&["check", &first])), 66);
    assert_eq!(code(&house.ctl(&["logout", &first])), 0, "it has ended");
    assert_eq!(code(&house.ctl(&["logout"])), 0);
    let truth = house.simulator.truth();
    assert!(truth.tokens.iter().all(|token| token.logout_requests == 1), "{truth:#?}");
    assert_eq!((truth.logins_ok, truth.requests_refused), (1, 0));
    let history = house.ctl(&["history", "--json"]);
    let lines = json_of(&history)["sessions"].as_array().unwrap().clone();
    let ids: Vec<_> = lines.iter().map(|line| line["id"].clone()).collect();
    assert_eq!(ids, [json!(second), json!(first)], "newest first");
    assert!(lines.iter().all(|line| line["reason"] == "request" && line["attempts"] == 1));
    house.assert_all_is_over();
    house.assert_no_leak(&[&taken, &added, &again, &list, &status, &ended, &history]);
}

#[test]
fn passwords_from_files_and_none() {
    let house = House::open("");
    let file = house.path("password");
    write!(securid_trust::create_new(&file).unwrap(), "{PASSWORD}\r\n").unwrap();
    let taken = house.ctl(&["login", "--password-file", file.to_str().unwrap()]);
    assert_eq!(code(&taken), 0, "{taken:?}");
    let refused = house.ctl_with(&["login", "--password-stdin"], "wrong");
    assert_eq!(code(&refused), 77, "{refused:?}");
    assert!(stderr(&refused).starts_with("securid-ctl: "), "{refused:?}");
    let nobody_to_ask = house.ctl(&["login"]);
    assert_eq!(code(&nobody_to_ask), 2, "{nobody_to_ask:?}");
    assert_eq!(house.simulator.truth().logins_refused, 1);
    let replaced = house.ctl_with(&["login", "--password-stdin", "--replace"], PASSWORD);
    assert_eq!(code(&replaced), 0, "{replaced:?}");
    house.eventually_true("the first to end", |truth| truth.alive().len() == 1);
    assert_eq!(code(&house.ctl(&["logout"])), 0);
    house.assert_all_is_over();
}

#[test]
fn exec_passes_words_and_status_on() {
    let house = House::open("");
    let (id, token) = house.add();
    let child = std::path::absolute(CHILD).unwrap();
    let child = child.to_str().unwrap();
    let names = ["SECURID_TOKEN", "SECURID_SESSION", "SECURID_INSTANCE", "SECURID_URL"];
    let told = house.ctl(&[&["exec", &id, "--", child, "tell"], &names[..]].concat());
    assert_eq!(code(&told), 0, "{told:?}");
    let url = format!("{}/command.submit", house.simulator.url());
    assert_eq!(stdout(&told).lines().collect::<Vec<_>>(), [&token, &id, "prod", &url]);
    let words = ["", " ", "a b", "\"", "\\", "a\\\"b", "c:\\d e\\", "%PATH%", "^&|<>", "*", "é€😀"];
    let echoed = house.ctl(&[&["exec", &id, "--", child, "echo"], &words[..]].concat());
    assert_eq!(json_of(&echoed), json!(words));
    assert_eq!(code(&house.ctl(&["exec", "--", child, "exit", "7"])), 7);
    assert_eq!(code(&house.ctl(&["exec", "--", "no-such-program-at-all"])), 127);
    assert_eq!(code(&house.ctl(&["exec", "--", house.folder().to_str().unwrap()])), 126);
    assert_eq!(code(&house.ctl(&["logout"])), 0);
    assert_eq!(code(&house.ctl(&["exec", "--", child, "exit", "0"])), 125);
    house.assert_all_is_over();
}

#[test]
fn exec_holds_its_session_over_a_crash() {
    let mut house = House::open("idle_timeout = \"1500ms\"");
    let (id, token) = house.add();
    let (ready, enough) = (house.path("ready"), house.path("enough"));
    let mut command = house.ctl_command();
    command.args(["exec", &id, "--"]).arg(std::path::absolute(CHILD).unwrap());
    let mut running = Process::start({
        command.arg("wait").args([&ready, &enough]);
        command
    });
    eventually("the program", || ready.exists().then_some(()));
    thread::sleep(Duration::from_millis(2500));
    assert!(house.fate(&token).alive, "it is in use");
    house.kill();
    house.start();
    eventually("it to hold again", || (house.sessions()[0]["holds"] == 1).then_some(()));
    std::fs::write(&enough, "").unwrap();
    assert_eq!(running.wait(PATIENCE).code(), Some(0));
    assert_eq!(house.eventually_ended(&id)["reason"], "idle");
    house.assert_all_is_over();
}

#[test]
fn a_session_of_its_own_ends_with_its_program() {
    let house = House::open("");
    let child = std::path::absolute(CHILD).unwrap();
    let child = child.to_str().unwrap();
    let words = ["exec", "--login", "--password-stdin", "--", child, "exit", "5"];
    let ended = house.ctl_with(&words, PASSWORD);
    assert_eq!(code(&ended), 5, "{ended:?}");
    assert_eq!(house.simulator.truth().tokens.len(), 1);
    house.assert_all_is_over();
}
