//! A locked, absent, hanging, full or lying store loses nothing and hangs nobody.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::thread;
use std::time::Duration;

use securid_simulator::Fault;
use securid_tests::patience::is_installed;
use securid_tests::{House, PASSWORD, Plan, eventually, timed, within};
use serde_json::{Value, json};

/// The contract's 5 s for a keyring, and what a loaded machine adds.
const ANSWERED: Duration = Duration::from_millis(6500);

/// What "at once" is on a loaded machine; less than the keyring's 5 s.
const AT_ONCE: Duration = Duration::from_secs(2);

/// A store that came back is noticed within the longest wait between two errands (30 s).
const NOTICED: Duration = Duration::from_secs(40);

#[test]
fn locked() {
    not_ready("locked", -32003, "locked");
}

#[test]
fn unavailable() {
    not_ready("unavailable", -32004, "unavailable");
}

#[test]
fn hanging() {
    not_ready("hang", -32004, "does not answer");
}

fn not_ready(fault: &str, code: i64, word: &str) {
    let house = House::open(Plan::default());
    let (first, one) = house.add_one();
    let (second, other) = house.add_one();
    house.set_keyring_fault(Some(fault));
    let brought = house.simulator.issue("alice");
    for (method, params) in [
        ("session.add", json!({"token": brought})),
        ("session.login", json!({"password": PASSWORD})),
        ("session.login", json!({"password": PASSWORD})),
    ] {
        let (refused, took) = timed(|| house.refused(method, params));
        assert_eq!(refused.code, code, "{method}: {refused:?}");
        assert!(refused.message.contains(word), "{refused:?}");
        assert!(refused.data["hint"].is_string(), "{refused:?}");
        assert!(took < ANSWERED, "{method}: {took:?}");
    }
    assert_eq!(house.simulator.truth().logins_ok, 0, "no token is made that cannot be kept");

    let (status, took) = timed(|| house.call("daemon.status", json!({})));
    assert!(took < AT_ONCE, "status: {took:?}");
    let state = if fault == "locked" { "locked" } else { "unavailable" };
    assert_eq!(status["keyring"]["state"], state, "{status}");
    let (sessions, took) = timed(|| house.sessions());
    assert!(took < AT_ONCE, "list: {took:?}");
    assert!(sessions.iter().all(|session| session["state"] == "active"));
    assert_eq!(house.token(&first), one, "what is lent is in memory");
    let (item, took) = timed(|| house.logout(&first, "10s"));
    assert_eq!(item["outcome"], "revoked", "{item}");
    assert!(took < AT_ONCE, "logout: {took:?}");
    assert_eq!(house.secrets(), 2, "its secret cannot be deleted yet");

    house.set_keyring_fault(None);
    within(NOTICED, "the secret to go", || (house.secrets() == 1).then_some(()));
    within(NOTICED, "its record to go", || (house.records().len() == 1).then_some(()));
    assert_eq!(house.token(&second), other);
    let third = within(ANSWERED, "a login", || {
        house.try_call("session.login", json!({"password": PASSWORD})).ok()
    });
    assert_eq!(third["state"], "active");
    assert_eq!(house.simulator.truth().token(&brought).map(|t| t.alive), Some(true));
    let all = house.call("session.logout", json!({"all": true, "wait": "10s"}));
    assert_eq!(all["sessions"].as_array().map(Vec::len), Some(2));
    house.eventually_empty();
}

#[test]
fn full() {
    takes_nothing("full");
}

#[test]
fn forgetful() {
    takes_nothing("forget-writes");
}

/// The store says that it is ready, and does not keep what it is given.
fn takes_nothing(fault: &str) {
    let house = House::open(Plan::default());
    let (id, held) = house.add_one();
    house.set_keyring_fault(Some(fault));
    let brought = house.simulator.issue("alice");
    let refused = house.refused("session.add", json!({"token": brought}));
    assert_eq!(refused.code, -32005, "{refused:?}");
    let refused = house.refused("session.login", json!({"password": PASSWORD}));
    assert_eq!(refused.code, -32005, "{refused:?}");
    let truth = house.simulator.truth();
    assert_eq!(truth.logins_ok, 1);
    // The token of our own login is revoked, for nobody else knows it; the other stays whose it is.
    house.eventually_true("its end", |truth| truth.alive() == [held.as_str(), brought.as_str()]);
    eventually("its record to go", || (house.records().len() == 1).then_some(()));
    assert_eq!(house.secrets(), 1);
    assert_eq!(house.token(&id), held);
    house.set_keyring_fault(None);
    assert_eq!(house.token(&house.add(&brought)), brought);
}

#[test]
fn slow() {
    let house = House::open(Plan::default());
    house.set_keyring_fault(Some("slow:700"));
    let (id, _) = house.add_one();
    assert_eq!(house.logout(&id, "10s")["outcome"], "revoked");
    within(NOTICED, "the secret to go", || (house.secrets() == 0).then_some(()));
}

#[test]
fn a_token_that_is_brought_again_before_it_was_read() {
    let mut house = House::open(Plan::default());
    let (id, token) = house.add_one();
    house.kill_9();
    house.set_keyring_fault(Some("slow:300"));
    house.start();
    assert_eq!(house.add(&token), id, "one token is one session");
    assert_eq!(house.sessions().len(), 1);
}

#[test]
fn one_under_revocation_that_is_brought_again_before_it_was_read() {
    let mut house = House::open(Plan::default());
    let (id, token) = house.add_one();
    house.simulator.set_fault(Some(Fault::Down));
    house.call("session.logout", json!({"sessions": [id]}));
    house.kill_9();
    house.set_keyring_fault(Some("locked"));
    house.start();
    assert_eq!(house.refused("session.add", json!({"token": token})).code, -32003);
    house.set_keyring_fault(None);
    assert_eq!(house.refused("session.add", json!({"token": token})).code, -32012);
    assert_eq!((house.sessions().len(), house.state(&id).as_str()), (1, "revoking"));
    house.simulator.set_fault(None);
    assert_eq!(house.eventually_ended(&id)["outcome"], "revoked");
    assert_eq!(house.simulator.truth().alive(), [""; 0]);
}

/// New secrets go to another store, so that nobody can tell at first that one is known.
#[test]
fn one_under_revocation_that_another_store_takes_in() {
    if !is_installed("keyctl") {
        return;
    }
    let mut house = House::build(Plan { keyring: "keyutils", ..Plan::default() });
    house.change_config("\"keyutils\"", "\"test\"");
    house.start();
    let (id, token) = house.add_one();
    house.simulator.set_fault(Some(Fault::Down));
    house.call("session.logout", json!({"sessions": [id]}));
    house.kill_9();
    house.set_keyring_fault(Some("locked"));
    house.change_config("\"test\"", "\"keyutils\"");
    house.start();
    let twin = house.add(&token);
    house.set_keyring_fault(None);
    house.call("session.retry", json!({"sessions": [id]}));
    eventually("the same fate", || (house.state(&twin) == "revoking").then_some(()));
    assert_eq!(house.refused("session.token", json!({"session": twin})).code, -32012);
    house.simulator.set_fault(None);
    for session in [&id, &twin] {
        house.eventually_ended(session);
    }
    assert_eq!(house.simulator.truth().alive(), [""; 0]);
    house.eventually_empty();
}

#[test]
fn a_status_notices_by_itself_that_it_hangs() {
    let house = House::open(Plan::default());
    let keyring = |wanted: &str| {
        let (status, took) = timed(|| house.call("daemon.status", json!({})));
        assert!(took < AT_ONCE, "{took:?}");
        (status["keyring"]["state"] == wanted).then(|| status["problems"].clone())
    };
    eventually("it to be ready", || keyring("ready"));
    house.set_keyring_fault(Some("hang"));
    let hangs = Duration::from_secs(8);
    let problems = within(hangs, "the status to say so", || keyring("unavailable")).to_string();
    assert!(problems.contains("does not answer"), "{problems}");
    house.set_keyring_fault(None);
    within(NOTICED, "it to be well again", || keyring("ready").filter(|p| *p == json!([])));
}

#[test]
fn a_status_right_after_the_start_waits_for_the_first_look() {
    let mut house = House::build(Plan::default());
    house.set_keyring_fault(Some("slow:150"));
    house.start();
    let status = house.call("daemon.status", json!({}));
    assert_eq!(status["keyring"]["state"], "ready", "{status}");
}

#[test]
fn a_daemon_started_while_it_is_locked() {
    started_while("locked", -32003);
}

#[test]
fn a_daemon_started_while_it_is_absent() {
    started_while("unavailable", -32004);
}

#[test]
fn a_daemon_started_while_it_hangs() {
    started_while("hang", -32004);
}

fn started_while(fault: &str, code: i64) {
    let mut house = House::open(Plan::default());
    let held = house.add_many(3);
    house.kill_9();
    house.set_keyring_fault(Some(fault));
    house.start();
    let (sessions, took) = timed(|| house.sessions());
    assert!(took < AT_ONCE, "list: {took:?}");
    assert_eq!(sessions.iter().filter(|s| s["state"] == "active").count(), 3);
    // At the start, and when the daemon's own tries have become rare.
    for pause in [0, 8] {
        thread::sleep(Duration::from_secs(pause));
        let (refused, took) =
            timed(|| house.refused("session.token", json!({"session": held[0].0})));
        assert_eq!(refused.code, code, "{refused:?}");
        assert!(took < ANSWERED, "token, after {pause}s: {took:?}");
    }
    // A logout that cannot be carried out yet is promised.
    let (item, took) = timed(|| house.logout(&held[1].0, "500ms"));
    assert_eq!((&item["state"], &item["durable"]), (&json!("revoking"), &json!(true)), "{item}");
    assert!(took < AT_ONCE, "logout: {took:?}");

    house.set_keyring_fault(None);
    assert_eq!(within(NOTICED, "the logout", || house.ended(&held[1].0))["outcome"], "revoked");
    for (id, token) in [&held[0], &held[2]] {
        let lent = within(NOTICED, "the token", || {
            house.try_call("session.token", json!({"session": id})).ok()
        });
        assert_eq!(lent["token"], token.as_str());
    }
    house.call("session.logout", json!({"all": true, "wait": "10s"}));
    assert_eq!(house.simulator.truth().alive(), [""; 0]);
    house.eventually_empty();
}

#[test]
fn a_secret_that_was_really_deleted() {
    let mut house = House::open(Plan::default());
    let (gone, alive) = house.add_one();
    let (kept, other) = house.add_one();
    house.kill_9();
    for file in fs::read_dir(house.path("store")).unwrap().flatten() {
        if file.file_name().to_string_lossy().ends_with(&gone) {
            fs::remove_file(file.path()).unwrap();
        }
    }
    house.start();
    eventually("it to be missed", || (house.state(&gone) == "lost").then_some(()));
    assert_eq!(house.refused("session.token", json!({"session": gone})).code, -32001);
    assert_eq!(house.call("daemon.status", json!({}))["sessions"]["lost"], 1);
    let item = house.logout(&gone, "5s");
    assert_eq!((&item["state"], &item["outcome"]), (&json!("lost"), &json!(null)), "{item}");
    assert_eq!(house.state(&gone), "lost", "it is listed until somebody gives it up");
    assert_eq!(house.token(&kept), other);

    house.call("session.forget", json!({"session": gone}));
    let line = house.eventually_ended(&gone);
    assert_eq!(line["outcome"], "forgotten");
    assert_eq!(house.state(&gone), "gone");
    assert!(house.fate(&alive).alive, "nobody could tell the server");
    assert_eq!(house.refused("session.forget", json!({"session": kept})).code, -32602);
}

#[test]
fn a_lost_one_whose_secret_comes_back() {
    let mut house = House::open(Plan::default());
    let (id, token) = house.add_one();
    house.kill_9();
    fs::rename(house.path("store"), house.path("elsewhere")).unwrap();
    fs::create_dir(house.path("store")).unwrap();
    house.start();
    eventually("it to be missed", || (house.state(&id) == "lost").then_some(()));
    house.kill_9();
    fs::remove_dir(house.path("store")).unwrap();
    fs::rename(house.path("elsewhere"), house.path("store")).unwrap();
    house.start();
    assert_eq!(house.token(&id), token);
}

#[test]
fn a_lost_one_that_was_logged_out_and_is_found_by_a_retry() {
    logged_out_while_lost(|house, id, put_back| {
        put_back();
        house.call("session.retry", json!({"sessions": [id]}));
    });
}

#[test]
fn a_lost_one_that_was_logged_out_and_is_found_by_the_next_daemon() {
    logged_out_while_lost(|house, _, put_back| {
        house.kill_9();
        put_back();
        house.start();
    });
}

fn logged_out_while_lost(find: impl FnOnce(&mut House, &str, &dyn Fn())) {
    let mut house = House::open(Plan::default());
    let (id, token) = house.add_one();
    house.kill_9();
    let secret = fs::read_dir(house.path("store")).unwrap().next().unwrap().unwrap().path();
    let elsewhere = house.path("elsewhere");
    fs::rename(&secret, &elsewhere).unwrap();
    house.start();
    eventually("it to be missed", || (house.state(&id) == "lost").then_some(()));
    assert_eq!(house.logout(&id, "5s")["state"], "lost");
    let durable = |revocation: &Value| revocation["durable"] == true;
    let intent = eventually("the intent on disk", || {
        Some(house.session(&id)?["revocation"].clone()).filter(durable)
    });
    assert_eq!(intent["reason"], "request");

    house.simulator.set_fault(Some(Fault::Down));
    find(&mut house, &id, &|| fs::rename(&elsewhere, &secret).unwrap());
    eventually("it to be found", || {
        let state = house.state(&id);
        assert_ne!(state, "active");
        (state == "revoking").then_some(())
    });
    assert_eq!(house.refused("session.token", json!({"session": id})).code, -32012);
    house.simulator.set_fault(None);
    assert_eq!(house.eventually_ended(&id)["outcome"], "revoked");
    assert!(!house.fate(&token).alive);
    house.eventually_empty();
}

#[test]
fn a_secret_that_was_garbled_is_sent_to_nobody() {
    let mut house = House::open(Plan::default());
    let (id, _) = house.add_one();
    house.kill_9();
    for file in fs::read_dir(house.path("store")).unwrap().flatten() {
        let mut bytes = fs::read(file.path()).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        fs::write(file.path(), bytes).unwrap();
    }
    house.start();
    let refused = house.refused("session.token", json!({"session": id}));
    assert_eq!(refused.code, -32005, "{refused:?}");
    let item = house.logout(&id, "1s");
    assert_eq!(item["state"], "revoking", "{item}");
    assert_eq!(house.simulator.truth().logout_requests, 0);
}
