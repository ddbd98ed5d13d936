//! A real gnome-keyring that is killed, frozen, swapped for another, or takes its bus along: while
//! the daemon has its sessions in memory, and after a crash, when it has them on disk alone.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::process::Output;
use std::time::Duration;

use securid_tests::{House, PASSWORD, Plan, SecretService, timed, within};
use serde_json::{Value, json};

/// The contract's 5 s for a keyring, and what a loaded machine adds.
const ANSWERED: Duration = Duration::from_millis(6500);

/// What "at once" is on a loaded machine; less than the keyring's 5 s.
const AT_ONCE: Duration = Duration::from_secs(2);

/// A store that came back is noticed within the longest wait between two errands (30 s).
const NOTICED: Duration = Duration::from_secs(40);

const LOGIN: [&str; 2] = ["login", "--password-stdin"];

fn open() -> Option<House> {
    House::with_gnome_keyring(Plan { keyring: "secret-service", ..Plan::default() })
}

fn service(house: &mut House) -> &mut SecretService {
    house.secret_service.as_mut().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Runs a command that may wait for nobody.
fn at_once(house: &House, words: &[&str]) -> Output {
    let (done, took) = timed(|| house.ctl(words));
    assert!(took < AT_ONCE, "{words:?}: {took:?}");
    done
}

/// What every keyring that cannot be used leaves as it is: list and status answer at once and say
/// what is wrong, nothing counts as lost, and nothing is sent to the server that could not be kept.
fn assert_says_so(house: &House, state: &str, active: usize, word: &str) {
    let logins = house.simulator.truth().logins_ok;
    let (refused, took) = timed(|| house.ctl_with(&LOGIN, PASSWORD));
    assert_eq!(refused.status.code(), Some(74), "{refused:?}");
    assert!(stderr(&refused).contains(word), "{refused:?}");
    assert!(took < ANSWERED, "login: {took:?}");
    assert_eq!(house.simulator.truth().logins_ok, logins, "no token is made that cannot be kept");

    let list: Value = serde_json::from_slice(&at_once(house, &["list", "--json"]).stdout).unwrap();
    let sessions = list["sessions"].as_array().unwrap();
    assert!(sessions.iter().all(|session| session["state"] != "lost"), "{list}");
    assert_eq!(sessions.iter().filter(|s| s["state"] == "active").count(), active, "{list}");

    let told = at_once(house, &["status", "--json"]);
    let status: Value = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!(status["keyring"]["state"], state, "{status}");
    // One that is locked waits for its person; nothing is wrong with it.
    let (exit, problems) = if state == "locked" { (0, 0) } else { (1, 1) };
    assert_eq!(told.status.code(), Some(exit), "{status}");
    assert_eq!(status["problems"].as_array().map(Vec::len), Some(problems), "{status}");
    assert!(problems == 0 || status["problems"].to_string().contains(word), "{status}");
}

/// One that a person asks to be ended while its secret cannot be read: he is told why it takes time,
/// and that it will be done.
fn assert_promised(house: &House, id: &str, word: &str) {
    let told = at_once(house, &["logout", id, "--timeout", "300ms", "--json"]);
    assert_eq!(told.status.code(), Some(75), "{told:?}");
    let view: Value = serde_json::from_slice(&told.stdout).unwrap();
    let item = &view["sessions"][0];
    assert_eq!((&item["state"], &item["durable"]), (&json!("revoking"), &json!(true)), "{item}");
    let why = item["last_error"].as_str().unwrap_or_default();
    assert!(why.contains(word), "{item}");
}

/// By itself, that is without `retry` and restart, all is as it should be again.
fn assert_heals(house: &mut House, promised: &str, kept: &str, token: &str) {
    let line = within(NOTICED, "the logout that was promised", || {
        service(house).revive();
        house.ended(promised)
    });
    assert_eq!(line["outcome"], "revoked", "{line}");
    let lent = within(NOTICED, "the token", || {
        house.try_call("session.token", json!({"session": kept})).ok()
    });
    assert_eq!(lent["token"], token);
    within(NOTICED, "the keyring to be well", || {
        let status = house.call("daemon.status", json!({}));
        (status["keyring"]["state"] == "ready" && status["problems"] == json!([])).then_some(())
    });
    let made = house.ctl_with(&LOGIN, PASSWORD);
    assert_eq!(made.status.code(), Some(0), "{made:?}");
    assert!(!house.log().contains("gone from the keyring"), "nothing was lost");
    assert_eq!(house.ctl(&["logout"]).status.code(), Some(0));
    assert_eq!(house.simulator.truth().alive(), [""; 0]);
    house.eventually_empty();
}

/// The keyring goes bad in mid-life; then the daemon crashes too, and knows its sessions from the
/// disk alone. `state` and `word`: what is said of it before and after the crash.
fn goes_bad(
    begin: impl FnOnce(&mut SecretService),
    end: impl FnOnce(&mut SecretService),
    state: &str,
    word: &str,
) {
    let Some(mut house) = open() else { return };
    let (live, _) = house.add_one();
    let (promised, _) = house.add_one();
    let (kept, token) = house.add_one();
    begin(service(&mut house));
    assert_says_so(&house, state, 3, word);
    let done = at_once(&house, &["logout", &live]);
    assert_eq!(done.status.code(), Some(0), "{done:?}");

    house.kill_9();
    house.start();
    assert_says_so(&house, state, 2, word);
    assert_promised(&house, &promised, word);
    end(service(&mut house));
    assert_heals(&mut house, &promised, &kept, &token);
    assert!(house.ended(&live).is_some());
}

#[test]
fn locked() {
    goes_bad(|service| service.lock(), |service| service.unlock(), "locked", "locked");
}

#[test]
fn killed() {
    goes_bad(SecretService::stop, SecretService::start, "unavailable", "unavailable");
}

#[test]
fn killed_and_back_locked() {
    let back = |service: &mut SecretService| {
        service.stop();
        service.start_locked();
    };
    goes_bad(back, |service| service.unlock(), "locked", "locked");
}

/// As where the bus starts it for the first time: it has nothing, and nobody's password to keep
/// anything under. So it is not known to have lost anything.
#[test]
fn replaced_by_one_without_collections() {
    let back = |service: &mut SecretService| service.replace("");
    let word = "no default collection";
    goes_bad(|s| s.replace_without_collections("another"), back, "unavailable", word);
}

#[test]
fn frozen() {
    goes_bad(|s| s.freeze(), |s| s.thaw(), "unavailable", "does not answer");
}

#[test]
fn frozen_with_its_bus() {
    goes_bad(|s| s.freeze_bus(), |s| s.thaw_bus(), "unavailable", "does not answer");
}

#[test]
fn gone_with_its_bus() {
    let back = |service: &mut SecretService| {
        service.start_bus();
        service.start();
    };
    goes_bad(SecretService::stop_bus, back, "unavailable", "unavailable");
}

/// A bus on which there never was a keyring; then one is started, and the daemon needs no restart.
#[test]
fn absent_and_late() {
    let mut house = House::build(Plan { keyring: "secret-service", ..Plan::default() });
    house.secret_service = SecretService::bus(&house.path("home"));
    if house.secret_service.is_none() {
        return;
    }
    house.start();
    assert_says_so(&house, "unavailable", 0, "unavailable");
    let done = at_once(&house, &["logout"]);
    assert_eq!(done.status.code(), Some(0), "{done:?}");
    assert_eq!(house.simulator.truth().connections, 0);
    service(&mut house).start();
    let made = house.ctl_with(&LOGIN, PASSWORD);
    assert_eq!(made.status.code(), Some(0), "{made:?}");
    let status = at_once(&house, &["status"]);
    assert_eq!(status.status.code(), Some(0), "{status:?}");
    assert_eq!(house.ctl(&["logout"]).status.code(), Some(0));
    assert_eq!(house.simulator.truth().alive(), [""; 0]);
    house.eventually_empty();
}
