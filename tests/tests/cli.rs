//! `securid-ctl`: exit codes, what it prints, and that it never hangs.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs::{self, Permissions};
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::net::UnixListener;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use securid_simulator::Fault;
use securid_tests::patience::is_root;
use securid_tests::process::Process;
use securid_tests::programs::programs;
use securid_tests::stranger::as_user;
use securid_tests::{House, PASSWORD, PATIENCE, Plan, Signal, eventually, skipped, timed};
use serde_json::{Value, json};

/// Exits as the contract has them, and the words of a failing command.
fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or_else(|| panic!("{output:?}"))
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn json_of(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {output:?}"))
}

#[test]
fn the_main_job() {
    let house = House::open(Plan::default());
    let taken = house.ctl_with(&["login", "--password-stdin", "--json"], PASSWORD);
    assert_eq!(code(&taken), 0, "{taken:?}");
    let id = json_of(&taken)["id"].as_str().unwrap().to_owned();
    let made = house.simulator.truth().tokens[0].token.clone();
    let brought = house.simulator.issue("alice");
    let added = house.ctl_with(&["add", "--token-stdin", "--json"], &format!("{brought}\n"));
    assert_eq!(code(&added), 0, "{added:?}");

    let list = house.ctl(&["list", "--json"]);
    assert_eq!(json_of(&list)["sessions"].as_array().unwrap().len(), 2);
    let table = stdout(&house.ctl(&["list"]));
    assert!(table.contains(&id) && table.contains("active"), "{table}");
    assert_eq!(stdout(&house.ctl(&["token", &id])), format!("{made}\n"));
    assert_eq!(code(&house.ctl(&["check", &id])), 0);
    assert_eq!(code(&house.ctl(&["check", &id, "--remaining", "1m"])), 0);
    assert_eq!(code(&house.ctl(&["check", &id, "--remaining", "9h"])), 66);
    assert_eq!(code(&house.ctl(&["status"])), 0);
    for output in [&taken, &added, &list] {
        assert!(!stdout(output).contains(&made) && !stdout(output).contains(&brought));
    }

    let ended = house.ctl(&["logout", &id, "--json"]);
    assert_eq!(code(&ended), 0, "{ended:?}");
    assert_eq!(json_of(&ended)["sessions"][0]["outcome"], "revoked");
    assert_eq!(code(&house.ctl(&["check", &id])), 66);
    assert_eq!(code(&house.ctl(&["token", &id])), 66);
    assert_eq!(code(&house.ctl(&["logout", &id])), 0, "it has ended");
    assert_eq!(code(&house.ctl(&["logout"])), 0);
    assert_eq!(code(&house.ctl(&["logout"])), 0, "nothing to do");
    assert_eq!(house.simulator.truth().alive(), [""; 0]);
    let history = json_of(&house.ctl(&["history", "--json"]));
    assert_eq!(history["sessions"].as_array().unwrap().len(), 2);
    assert_eq!(code(&house.ctl(&["stop"])), 0);
}

#[test]
fn logins_that_fail() {
    let house = House::open(Plan::default());
    let refused = house.ctl_with(&["login", "--password-stdin"], "wrong");
    assert_eq!(code(&refused), 77, "{refused:?}");
    assert!(stderr(&refused).starts_with("securid-ctl: "), "{refused:?}");
    assert_eq!(house.simulator.truth().logins_refused, 1);
    let nobody_to_ask = house.ctl(&["login"]);
    assert_eq!(code(&nobody_to_ask), 2, "{nobody_to_ask:?}");
    assert_eq!(code(&house.ctl_with(&["login", "no", "--password-stdin"], PASSWORD)), 78);
    assert_ne!(code(&house.ctl_with(&["login", "--password-stdin"], "")), 0);
    assert_ne!(code(&house.ctl_with(&["add", "--token-stdin"], "")), 0);
    assert_eq!(house.simulator.truth().connections, 1);

    let file = house.path("password");
    fs::write(&file, PASSWORD).unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    let words = ["login", "--password-file", file.to_str().unwrap()];
    assert_ne!(code(&house.ctl(&words)), 0, "everybody can read it");
    fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    assert_eq!(code(&house.ctl(&words)), 0);

    house.simulator.set_fault(Some(Fault::Down));
    let unreachable = house.ctl_with(&["login", "--password-stdin", "--json"], PASSWORD);
    assert_eq!(code(&unreachable), 68, "{unreachable:?}");
    let error: Value = serde_json::from_slice(&unreachable.stderr).unwrap();
    assert_eq!(error["error"]["code"], "server-unreachable", "{error}");
    assert!(error["error"]["hint"].is_string(), "{error}");

    house.simulator.set_fault(None);
    house.set_keyring_fault(Some("locked"));
    assert_eq!(code(&house.ctl_with(&["login", "--password-stdin"], PASSWORD)), 74);
}

#[test]
fn a_logout_that_is_not_confirmed() {
    let house = House::open(Plan::default());
    let (id, token) = house.add_one();
    house.simulator.set_fault(Some(Fault::Status(503)));
    let (pending, took) = timed(|| house.ctl(&["logout", "--timeout", "700ms"]));
    assert_eq!(code(&pending), 75, "{pending:?}");
    assert!(stdout(&pending).contains("503"), "{pending:?}");
    assert!(took < Duration::from_secs(4), "{took:?}");
    assert_eq!(code(&house.ctl(&["logout", &id, "--no-wait"])), 75);
    let named = house.ctl(&["logout", &id, "nobody@prod", "--timeout", "200ms"]);
    assert_eq!(code(&named), 66, "the worst counts: {named:?}");
    assert_eq!(code(&house.ctl(&["token", &id])), 1);
    assert_eq!(code(&house.ctl(&["forget", &id])), 2, "only with --yes");
    house.simulator.set_fault(None);
    assert_eq!(code(&house.ctl(&["retry"])), 0);
    assert_eq!(code(&house.ctl(&["logout", &id])), 0);
    assert!(!house.fate(&token).alive);
}

#[test]
fn a_lost_session() {
    let mut house = House::open(Plan::default());
    let (id, _) = house.add_one();
    house.kill_9();
    fs::remove_dir_all(house.path("store")).unwrap();
    fs::create_dir(house.path("store")).unwrap();
    house.start();
    eventually("it to be missed", || (house.state(&id) == "lost").then_some(()));
    let all = house.ctl(&["logout"]);
    assert_eq!(code(&all), 0, "{all:?}");
    assert!(stderr(&all).contains(&id) && stderr(&all).contains("forget"), "{all:?}");
    assert_eq!(code(&house.ctl(&["logout", &id])), 1);
    assert_eq!(code(&house.ctl(&["status"])), 1);
    assert_eq!(code(&house.ctl(&["forget", &id, "--yes"])), 0);
    assert_eq!(code(&house.ctl(&["status"])), 0);
    let history = json_of(&house.ctl(&["history", "--json"]));
    assert_eq!(history["sessions"][0]["outcome"], "forgotten");
}

#[test]
fn ambiguity() {
    let house = House::open(Plan::default());
    let (id, _) = house.add_one();
    house.call("session.add", json!({"token": "of-bob", "username": "bob"}));
    let ambiguous = house.ctl(&["token"]);
    assert_eq!(code(&ambiguous), 2, "{ambiguous:?}");
    assert!(stderr(&ambiguous).contains(&id), "candidates are listed: {ambiguous:?}");
}

#[test]
fn without_a_daemon() {
    let mut house = House::build(Plan::default());
    let nothing = house.ctl(&["logout"]);
    assert_eq!(code(&nothing), 0, "neither daemon nor records: {nothing:?}");
    for words in [&["list"][..], &["status"], &["token"], &["check"], &["stop"]] {
        assert_eq!(code(&house.ctl(words)), 69, "{words:?}");
    }
    assert_eq!(code(&house.ctl(&["paths"])), 0);
    assert_eq!(code(&house.ctl(&["no-such-command"])), 2);
    house.start();
    house.add_one();
    house.kill_9();
    assert_eq!(code(&house.ctl(&["logout"])), 69, "there are records");
}

#[test]
fn a_daemon_of_another_user_is_told_nothing() {
    if !is_root() {
        return skipped("only root can run a daemon as another user");
    }
    let user = Some(700_000_000 + std::process::id());
    let house = House::open(Plan { user, ..Plan::default() });
    for words in [&["login", "--password-stdin"][..], &["add", "--token-stdin"], &["list"]] {
        let output = house.ctl_with(words, PASSWORD);
        assert_eq!(code(&output), 76, "{words:?}: {output:?}");
    }
    assert_eq!(house.simulator.truth().connections, 0);
    assert!(house.records().is_empty());
}

/// One that would listen, unlike ours.
#[test]
fn nor_is_what_another_user_passes_off_as_a_daemon() {
    if !is_root() {
        return skipped("only root can be another user");
    }
    let house = House::build(Plan::default());
    let user = 700_000_000 + std::process::id();
    fs::set_permissions(house.path(""), Permissions::from_mode(0o711)).unwrap();
    chown(house.path("run"), Some(user), None).unwrap();
    let socket = house.socket();
    let listener = as_user(user, || UnixListener::bind(&socket).unwrap());
    listener.set_nonblocking(true).unwrap();
    let refused = |words: &[&str]| {
        let output = house.ctl_with(words, PASSWORD);
        assert_eq!(code(&output), 76, "{words:?}: {output:?}");
        listener.accept().map(|(connection, _)| connection)
    };
    let calls = [&["login", "--password-stdin"][..], &["add", "--token-stdin"], &["list"]];
    for words in calls {
        assert!(refused(words).is_err(), "{words:?}: it connected");
    }
    // In a folder and by a file of ours only the kernel still tells who listens.
    for path in [house.path("run"), house.socket()] {
        chown(path, Some(0), None).unwrap();
    }
    for words in calls {
        let mut told = String::new();
        refused(words).expect("it came").read_to_string(&mut told).unwrap();
        assert_eq!(told, "", "{words:?}");
    }
}

#[test]
fn a_frozen_daemon_hangs_nobody() {
    let mut house = House::open(Plan::default());
    let (id, token) = house.add_one();
    house.signal(Signal::STOP);
    let commands: [(&[&str], i32); 13] = [
        (&["login", "--password-stdin"], 69),
        (&["add", "--token-stdin"], 69),
        (&["list"], 69),
        (&["status"], 69),
        (&["history"], 69),
        (&["check", &id], 69),
        (&["token", &id], 69),
        (&["exec", &id, "--", "true"], 125),
        (&["logout"], 69),
        (&["logout", "--no-wait"], 69),
        (&["retry"], 69),
        (&["forget", &id, "--yes"], 69),
        (&["stop"], 69),
    ];
    thread::scope(|scope| {
        for (words, expected) in commands {
            scope.spawn({
                let house = &house;
                move || {
                    let (output, took) = timed(|| house.ctl_with(words, "secret"));
                    assert_eq!(code(&output), expected, "{words:?}: {output:?}");
                    assert!(took < Duration::from_secs(5), "{words:?}: {took:?}");
                    assert!(stderr(&output).lines().count() >= 2, "what to do: {output:?}");
                }
            });
        }
    });
    house.kill_9();
    house.start();
    assert_eq!(stdout(&house.ctl(&["token", &id])), format!("{token}\n"));
}

#[test]
fn exec() {
    let house = House::open(Plan::default());
    let (id, token) = house.add_one();
    let script = "echo $SECURID_TOKEN $SECURID_SESSION $SECURID_INSTANCE $SECURID_URL; exit 7";
    let output = house.ctl(&["exec", &id, "--", "sh", "-c", script]);
    assert_eq!(code(&output), 7, "{output:?}");
    let url = format!("{}/command.submit", house.simulator.url());
    assert_eq!(stdout(&output), format!("{token} {id} prod {url}\n"));
    assert_eq!(code(&house.ctl(&["exec", "--", "sh", "-c", "kill -9 $$"])), 137);
    assert_eq!(code(&house.ctl(&["exec", "--", "/no/such/program"])), 127);
    assert_eq!(code(&house.ctl(&["exec", "--", "/"])), 126);
    house.logout(&id, "10s");
    assert_eq!(code(&house.ctl(&["exec", "--", "true"])), 125);
}

#[test]
fn exec_holds_its_session_over_a_restart_and_passes_signals_on() {
    let mut house = House::open(Plan { top: "idle_timeout = \"900ms\"".into(), ..Plan::default() });
    let (id, _) = house.add_one();
    let mut command = Command::new(&programs().ctl);
    house.furnish(&mut command);
    let ready = house.path("ready");
    let script =
        format!("trap 'exit 9' TERM; touch {}; while :; do sleep 0.05; done", ready.display());
    command.args(["exec", &id, "--", "sh", "-c", &script]).stdin(Stdio::null());
    let mut running = Process::start(command);
    eventually("the program", || ready.exists().then_some(()));
    thread::sleep(Duration::from_millis(1200));
    assert_eq!(house.session(&id).unwrap()["holds"], 1);
    house.kill_9();
    house.start();
    eventually("it to hold again", || (house.session(&id)?["holds"] == 1).then_some(()));
    thread::sleep(Duration::from_millis(1200));
    assert_eq!(house.state(&id), "active");
    running.signal(Signal::TERM);
    assert_eq!(running.wait(PATIENCE).code(), Some(9));
    assert_eq!(house.eventually_ended(&id)["reason"], "idle");
}

#[test]
fn exec_holds_its_session_over_a_restart_with_a_locked_keyring() {
    let mut house = House::open(Plan { top: "idle_timeout = \"2s\"".into(), ..Plan::default() });
    let (id, token) = house.add_one();
    let mut command = Command::new(&programs().ctl);
    house.furnish(&mut command);
    let script = "touch busy; while [ -e busy ]; do sleep 0.05; done";
    command.args(["exec", &id, "--", "sh", "-c", script]).stdin(Stdio::null());
    let mut running = Process::start(command);
    let busy = house.path("busy");
    eventually("the program", || busy.exists().then_some(()));
    house.kill_9();
    house.set_keyring_fault(Some("locked"));
    house.start();
    eventually("it to hold again", || (house.session(&id)?["holds"] == 1).then_some(()));
    thread::sleep(Duration::from_secs(1));
    house.set_keyring_fault(None);
    thread::sleep(Duration::from_millis(1300));
    assert_eq!(house.state(&id), "active", "it is in use");
    assert_eq!(house.token(&id), token);
    fs::remove_file(busy).unwrap();
    assert_eq!(running.wait(PATIENCE).code(), Some(0));
    assert_eq!(house.eventually_ended(&id)["reason"], "idle");
}

#[test]
fn stop() {
    let mut house = House::open(Plan::default());
    let (id, token) = house.add_one();
    assert_eq!(code(&house.ctl(&["stop", "--keep"])), 0);
    house.wait_for_end(Duration::from_secs(2));
    house.start();
    assert_eq!(house.token(&id), token);
    assert_eq!(code(&house.ctl(&["stop", "--revoke"])), 0);
    house.wait_for_end(Duration::from_secs(2));
    assert!(!house.fate(&token).alive);

    house.start();
    house.add_one();
    house.simulator.set_fault(Some(Fault::Down));
    let pending = house.ctl(&["stop"]);
    assert_eq!(code(&pending), 75, "{pending:?}");
    house.wait_for_end(Duration::from_secs(2));
}
