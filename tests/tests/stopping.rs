//! A stop revokes everything, in time; what it cannot confirm is kept for the next start.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::time::Duration;

use securid_simulator::Fault;
use securid_tests::{House, PASSWORD, Plan, Signal, eventually, timed};
use serde_json::json;

#[test]
fn fifty_sessions() {
    let mut house = House::open(Plan::default());
    house.add_many(50);
    assert_eq!(house.terminate().code(), Some(0));
    assert_eq!(house.simulator.truth().alive(), [""; 0]);
    assert!(house.records().is_empty());
    assert!(!house.socket().exists());
    house.start();
    let history = house.call("session.history", json!({}));
    let lines = history["sessions"].as_array().unwrap();
    assert_eq!(lines.len(), 50);
    assert!(lines.iter().all(|line| line["reason"] == "shutdown"));
}

#[test]
fn with_nothing_to_do_it_ends_at_once() {
    let mut house = House::open(Plan::default());
    let (status, took) = timed(|| house.terminate());
    assert_eq!(status.code(), Some(0));
    assert!(took < Duration::from_secs(2), "{took:?}");
}

#[test]
fn meanwhile_it_takes_nothing_in_and_serves_the_rest() {
    let revocation = vec![("shutdown_grace", "10s")];
    let mut house = House::open(Plan { revocation, ..Plan::default() });
    let (id, token) = house.add_one();
    house.simulator.set_fault_for("logoutUser", Some(Fault::Status(503)));
    house.signal(Signal::TERM);
    eventually("the stop", || (house.state(&id) == "revoking").then_some(()));
    for (method, params) in [
        ("session.login", json!({"password": PASSWORD})),
        ("session.add", json!({"token": house.simulator.issue("alice")})),
    ] {
        assert_eq!(house.refused(method, params).code, -32010, "{method}");
    }
    assert_eq!(house.simulator.truth().logins_ok, 0);
    assert_eq!(house.call("daemon.status", json!({}))["sessions"]["revoking"], 1);
    let item = house.logout(&id, "300ms");
    assert_eq!((&item["state"], &item["durable"]), (&json!("revoking"), &json!(true)));
    assert_eq!(house.refused("session.token", json!({"session": id})).code, -32012);
    house.call("session.history", json!({}));

    house.simulator.set_fault_for("logoutUser", None);
    assert_eq!(house.wait_for_end(Duration::from_secs(5)).code(), Some(0));
    assert!(!house.fate(&token).alive);
}

#[test]
fn a_dead_server_holds_it_up_no_longer_than_the_grace() {
    for fault in [Fault::Down, Fault::Hang] {
        let revocation = vec![("shutdown_grace", "2s"), ("attempt_timeout", "10s")];
        let mut house = House::open(Plan { revocation, ..Plan::default() });
        let held = house.add_many(3);
        house.simulator.set_fault(Some(fault));
        let (status, took) = timed(|| house.terminate());
        assert_eq!(status.code(), Some(0));
        assert!(took < Duration::from_millis(3500), "{fault}: {took:?}");
        assert!(took >= Duration::from_millis(1900), "it gave up too soon: {fault}: {took:?}");
        assert_eq!(house.simulator.truth().alive().len(), 3);
        assert_eq!(house.records().len(), 3);

        house.start();
        let revoking = house.sessions().iter().filter(|s| s["state"] == "revoking").count();
        assert_eq!(revoking, 3);
        house.simulator.set_fault(None);
        for (id, _) in held {
            assert_eq!(house.eventually_ended(&id)["reason"], "shutdown");
        }
        assert_eq!(house.simulator.truth().alive(), [""; 0]);
    }
}

#[test]
fn a_hanging_keyring_does_not_hold_it_up() {
    let revocation = vec![("shutdown_grace", "2s")];
    let mut house = House::open(Plan { revocation, ..Plan::default() });
    let (_, token) = house.add_one();
    house.set_keyring_fault(Some("hang"));
    let (status, took) = timed(|| house.terminate());
    assert_eq!(status.code(), Some(0));
    assert!(took < Duration::from_millis(3500), "{took:?}");
    assert!(!house.fate(&token).alive, "the token was in memory");
    // The secret is cleared away by the next start.
    house.set_keyring_fault(None);
    house.start();
    house.eventually_empty();
}

/// A stop right after the start: whether there are secrets without a record is not known yet.
#[test]
fn one_without_a_record_is_revoked_too() {
    let mut house = House::open(Plan::default());
    let (_, token) = house.add_one();
    house.kill_9();
    house.records().iter().for_each(|record| fs::remove_file(record).unwrap());
    house.set_keyring_fault(Some("slow:300"));
    house.start();
    assert_eq!(house.terminate().code(), Some(0));
    assert!(!house.fate(&token).alive);
    assert_eq!((house.records().len(), house.secrets()), (0, 0));
}

#[test]
fn asked_twice_it_exits_at_once() {
    for (first, second) in [(Signal::TERM, Signal::TERM), (Signal::INT, Signal::TERM)] {
        asked_twice(first, second, |house, id| {
            let session = house.session(id).expect("it is not dead");
            session["revocation"]["durable"] == true
        });
    }
}

#[test]
fn asked_twice_in_one_breath_the_intents_are_on_disk_too() {
    asked_twice(Signal::TERM, Signal::INT, |_, _| true);
}

#[test]
fn however_often_it_is_asked_over_the_socket_it_has_its_grace_and_no_more() {
    let revocation = vec![("shutdown_grace", "2s")];
    let mut house = House::open(Plan { revocation, ..Plan::default() });
    house.add_one();
    house.simulator.set_fault(Some(Fault::Down));
    let (_, took) = timed(|| {
        for keep in [false, true, false] {
            // Of several wishes, to revoke wins.
            let answer = house.call("daemon.stop", json!({"keep": keep}));
            assert_eq!(answer, json!({"keep": false}));
            std::thread::sleep(Duration::from_millis(500));
        }
        house.wait_for_end(Duration::from_secs(10))
    });
    assert!(took >= Duration::from_millis(1900), "{took:?}");
    assert!(took < Duration::from_millis(2900), "{took:?}");
}

#[test]
fn a_signal_after_a_stop_over_the_socket_is_the_first_one() {
    let revocation = vec![("shutdown_grace", "20s")];
    let mut house = House::open(Plan { revocation, ..Plan::default() });
    let held = house.add_many(5);
    house.simulator.set_fault_for("logoutUser", Some(Fault::Status(503)));
    house.call("daemon.stop", json!({"keep": false}));
    house.signal(Signal::TERM);
    eventually("it to go on trying", || {
        (house.session(&held[0].0)?["revocation"]["attempts"].as_u64() >= Some(3)).then_some(())
    });
    house.simulator.set_fault_for("logoutUser", None);
    assert_eq!(house.wait_for_end(Duration::from_secs(10)).code(), Some(0));
    assert_eq!(house.simulator.truth().alive(), [""; 0]);
    assert!(house.records().is_empty());
}

/// Asks a daemon that cannot reach its server to stop, and again once `ready`.
fn asked_twice(first: Signal, second: Signal, ready: impl Fn(&House, &str) -> bool) {
    let revocation = vec![("shutdown_grace", "60s")];
    let mut house = House::open(Plan { revocation, ..Plan::default() });
    let (id, _) = house.add_one();
    house.simulator.set_fault(Some(Fault::Down));
    house.signal(first);
    eventually("the stop", || ready(&house, &id).then_some(()));
    house.signal(second);
    let (_, took) = timed(|| house.wait_for_end(Duration::from_secs(10)));
    assert!(took < Duration::from_secs(1), "{took:?}");
    house.simulator.set_fault(None);
    house.start();
    assert_ne!(house.state(&id), "active", "the intent was not on disk");
    assert_eq!(house.eventually_ended(&id)["reason"], "shutdown");
}

#[test]
fn kept_sessions() {
    for top in ["on_exit = \"keep\"", ""] {
        let mut house = House::open(Plan { top: top.to_owned(), ..Plan::default() });
        let (id, token) = house.add_one();
        if top.is_empty() {
            assert_eq!(house.call("daemon.stop", json!({"keep": true})), json!({"keep": true}));
        } else {
            house.signal(Signal::TERM);
        }
        assert_eq!(house.wait_for_end(Duration::from_secs(10)).code(), Some(0));
        assert_eq!(house.simulator.truth().alive(), [token.as_str()]);
        house.start();
        assert_eq!((house.state(&id).as_str(), house.token(&id)), ("active", token));
        assert_eq!(house.call("daemon.stop", json!({"keep": false})), json!({"keep": false}));
        assert_eq!(house.wait_for_end(Duration::from_secs(10)).code(), Some(0));
        assert_eq!(house.simulator.truth().alive(), [""; 0]);
    }
}

#[test]
fn a_stop_that_keeps_leaves_pending_ones_pending() {
    let mut house = House::open(Plan::default());
    let (id, _) = house.add_one();
    house.simulator.set_fault(Some(Fault::Down));
    house.logout(&id, "200ms");
    let (status, took) = timed(|| house.terminate_keeping());
    assert_eq!(status.code(), Some(0));
    assert!(took < Duration::from_secs(2), "{took:?}");
    house.simulator.set_fault(None);
    house.start();
    assert_eq!(house.eventually_ended(&id)["outcome"], "revoked");
}

#[test]
fn a_login_in_flight_is_revoked() {
    let mut house = House::open(Plan { latency: Duration::from_millis(700), ..Plan::default() });
    let mut client = house.client();
    client.send("session.login", json!({"password": PASSWORD}));
    house.eventually_true("the token", |truth| truth.logins_ok == 1);
    house.signal(Signal::TERM);
    let answer = client.receive().expect("an answer before it goes");
    assert_eq!(answer["error"]["code"], -32010, "{answer}");
    assert_eq!(house.wait_for_end(Duration::from_secs(10)).code(), Some(0));
    assert_eq!(house.simulator.truth().alive(), [""; 0]);
    assert!(house.records().is_empty());
}

#[test]
fn an_add_in_flight_is_refused_and_leaves_nothing() {
    let mut house = House::open(Plan::default());
    house.set_keyring_fault(Some("slow:300"));
    let token = house.simulator.issue("alice");
    let mut client = house.client();
    client.send("session.add", json!({"token": token}));
    eventually("its record", || (house.records().len() == 1).then_some(()));
    house.signal(Signal::TERM);
    let answer = client.receive().expect("an answer before it goes");
    assert_eq!(answer["error"]["code"], -32010, "{answer}");
    assert_eq!(house.wait_for_end(Duration::from_secs(10)).code(), Some(0));
    assert!(house.fate(&token).alive, "it stays with whoever brought it");
    assert!(house.records().is_empty());
    house.set_keyring_fault(None);
    assert_eq!(house.secrets(), 0);
}

#[test]
fn a_client_that_waits_for_a_logout_is_answered() {
    let revocation = vec![("shutdown_grace", "1s")];
    let mut house = House::open(Plan { revocation, ..Plan::default() });
    let (id, _) = house.add_one();
    house.simulator.set_fault(Some(Fault::Down));
    let mut client = house.client();
    client.send("session.logout", json!({"sessions": [id], "wait": "60s"}));
    eventually("the logout", || (house.state(&id) == "revoking").then_some(()));
    house.signal(Signal::TERM);
    let answer = client.receive().expect("an answer before it goes");
    assert_eq!(answer["result"]["sessions"][0]["state"], "revoking", "{answer}");
    assert!(answer["result"]["sessions"][0]["last_error"].is_string(), "{answer}");
    house.wait_for_end(Duration::from_secs(5));
}

#[test]
fn a_terminal_that_closes_stops_nothing() {
    let house = House::open(Plan::default());
    let (id, token) = house.add_one();
    house.signal(Signal::HUP);
    assert_eq!(house.token(&id), token);
    assert_eq!(house.logout(&id, "10s")["outcome"], "revoked");
    assert!(!house.fate(&token).alive);
}

/// Ctrl-S on its terminal, or a log collector that hangs.
#[test]
fn a_stderr_that_nobody_reads_holds_nothing_up() {
    let mut house = House::build(Plan { log: "trace", ..Plan::default() });
    let (unread, stderr) = std::io::pipe().unwrap();
    house.start_telling(house.daemon_command(), stderr);
    for _ in 0..200 {
        let (id, token) = house.add_one();
        assert_eq!(house.logout(&id, "10s")["outcome"], "revoked");
        assert!(!house.fate(&token).alive);
    }
    assert!(house.terminate().success());
    drop(unread);
}
