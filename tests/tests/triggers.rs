//! What ends a session, and what holds that off.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::thread;
use std::time::Duration;

use securid_simulator::Fault;
use securid_tests::{House, PASSWORD, Plan, Signal, eventually};
use serde_json::json;

fn open(top: &str) -> House {
    House::open(Plan { top: top.to_owned(), ..Plan::default() })
}

/// How long a token lived, by the server's clock.
fn life(house: &House, token: &str) -> Duration {
    let fate = house.fate(token);
    Duration::from_millis(fate.ended_at.expect("it is dead") - fate.issued_at)
}

#[test]
fn idle() {
    let house = open("idle_timeout = \"400ms\"");
    let (id, token) = house.add_one();
    // To look at it is no use of it.
    eventually("its end", || {
        house.call("daemon.status", json!({}));
        (house.state(&id) == "gone").then_some(())
    });
    assert!(life(&house, &token) >= Duration::from_millis(400), "{:?}", life(&house, &token));
    let line = house.eventually_ended(&id);
    assert_eq!((&line["reason"], &line["outcome"]), (&json!("idle"), &json!("revoked")));
}

#[test]
fn idle_is_held_off_by_use() {
    let house = open("idle_timeout = \"800ms\"");
    let (touched, one) = house.add_one();
    let (lent, other) = house.add_one();
    for _ in 0..8 {
        thread::sleep(Duration::from_millis(200));
        house.call("session.touch", json!({"session": touched}));
        house.token(&lent);
    }
    assert_eq!(house.simulator.truth().alive().len(), 2);
    house.eventually_true("both to end", |truth| truth.alive().is_empty());
    for token in [one, other] {
        assert!(life(&house, &token) >= Duration::from_millis(2400));
    }
}

#[test]
fn lifetime_despite_use_and_a_hold() {
    let house = open("idle_timeout = \"never\"\nmax_lifetime = \"700ms\"");
    let (id, token) = house.add_one();
    let mut holder = house.client();
    holder.call("session.hold", json!({"session": id})).unwrap();
    house.call("session.touch", json!({"session": id, "for": "1h"}));
    let line = house.eventually_ended(&id);
    assert_eq!(line["reason"], "lifetime");
    assert!(life(&house, &token) >= Duration::from_millis(700));
    // Its holder may go when it likes.
    drop(holder);
    assert_eq!(house.call("daemon.status", json!({}))["sessions"]["active"], 0);
}

#[test]
fn a_hold_lasts_as_long_as_its_connection() {
    let house = open("idle_timeout = \"400ms\"");
    let (id, _) = house.add_one();
    let mut holder = house.client();
    assert_eq!(holder.call("session.hold", json!({"session": id})), Ok(json!({"session": id})));
    thread::sleep(Duration::from_millis(1200));
    let session = house.session(&id).expect("it is held");
    assert_eq!((&session["holds"], &session["idle_deadline"]), (&json!(1), &json!(null)));
    drop(holder);
    assert_eq!(house.eventually_ended(&id)["reason"], "idle");
}

#[test]
fn a_use_for_some_time_lasts_so_long() {
    let house = open("idle_timeout = \"300ms\"");
    let (id, token) = house.add_one();
    house.call("session.token", json!({"session": id, "for": "1500ms"}));
    assert_eq!(house.eventually_ended(&id)["reason"], "idle");
    assert!(life(&house, &token) >= Duration::from_millis(1500), "{:?}", life(&house, &token));
}

#[test]
fn a_limit_that_passed_while_nothing_ran_is_enforced_before_the_first_answer() {
    let house = open("max_lifetime = \"500ms\"");
    let (id, _) = house.add_one();
    house.simulator.set_fault(Some(Fault::Down));
    house.signal(Signal::STOP);
    let mut client = house.client();
    client.send("session.token", json!({"session": id}));
    thread::sleep(Duration::from_millis(700));
    house.signal(Signal::CONT);
    let answer = client.receive().unwrap();
    assert_eq!(answer["error"]["code"], -32012, "{answer}");
}

#[test]
fn a_request_ends_it_for_everybody_at_once() {
    let house = open("");
    let (id, token) = house.add_one();
    house.simulator.set_fault(Some(Fault::Down));
    let view = house.call("session.logout", json!({"sessions": ["prod"]}));
    assert_eq!(view["sessions"][0]["state"], "revoking");
    assert_eq!(view["sessions"][0]["durable"], true);
    for method in ["session.token", "session.touch", "session.hold"] {
        assert_eq!(house.refused(method, json!({"session": id})).code, -32012, "{method}");
    }
    assert_eq!(house.refused("session.add", json!({"token": token})).code, -32012);
    house.simulator.set_fault(None);
    house.eventually_true("its end", |truth| truth.alive().is_empty());
    assert_eq!(house.eventually_ended(&id)["reason"], "request");
}

#[test]
fn sigterm_and_sigint() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut house = open("");
        let id = house.login();
        house.signal(signal);
        assert_eq!(house.wait_for_end(Duration::from_secs(10)).code(), Some(0));
        assert_eq!(house.simulator.truth().alive(), [""; 0]);
        house.start();
        assert_eq!(house.ended(&id).expect("it ended")["reason"], "shutdown");
        assert_eq!((house.records().len(), house.secrets()), (0, 0));
    }
}

#[test]
fn a_client_that_does_not_wait_for_its_login() {
    let house = open("");
    house.simulator.set_latency(Duration::from_millis(600));
    let mut client = house.client();
    client.send("session.login", json!({"password": PASSWORD}));
    house.eventually_true("the token", |truth| truth.logins_ok == 1);
    drop(client);
    house.eventually_true("its end", |truth| truth.alive().is_empty());
    let line = eventually("the history", || {
        house.call("session.history", json!({}))["sessions"].get(0).cloned()
    });
    assert_eq!((&line["reason"], &line["outcome"]), (&json!("abandoned"), &json!("revoked")));
}

#[test]
fn a_client_that_half_closes_waits() {
    let house = open("");
    house.simulator.set_latency(Duration::from_millis(300));
    let mut client = house.client();
    client.send("session.login", json!({"password": PASSWORD}));
    client.half_close();
    let answer = client.receive().unwrap();
    let id = answer["result"]["id"].as_str().expect("it is logged in").to_owned();
    assert_eq!(client.receive(), None);
    assert_eq!(house.state(&id), "active");
}

#[test]
fn an_orphan_on_the_test_store() {
    orphan(House::open(Plan::default()));
}

#[test]
fn an_orphan_on_gnome_keyring() {
    let plan = Plan { keyring: "secret-service", ..Plan::default() };
    if let Some(house) = House::with_gnome_keyring(plan) {
        orphan(house);
    }
}

fn orphan(mut house: House) {
    let (known, alive) = house.add_one();
    let (id, token) = house.add_one();
    house.kill_9();
    fs::remove_file(house.state_dir().join(format!("sessions/{id}.json"))).unwrap();
    house.start();
    house.eventually_true("its end", |truth| truth.alive() == [alive.as_str()]);
    assert_eq!(house.fate(&token).logout_requests, 1);
    let line = house.eventually_ended(&id);
    assert_eq!((&line["reason"], &line["outcome"]), (&json!("orphan"), &json!("revoked")));
    assert_eq!(house.state(&known), "active");
    eventually("its secret to go", || (house.secrets() == 1).then_some(()));
}

#[test]
fn an_orphan_in_a_store_that_was_locked_at_the_start() {
    let mut house = open("");
    let (id, _) = house.add_one();
    house.kill_9();
    fs::remove_file(house.state_dir().join(format!("sessions/{id}.json"))).unwrap();
    house.set_keyring_fault(Some("locked"));
    house.start();
    let keyring = || house.call("daemon.status", json!({}))["keyring"]["state"].clone();
    eventually("the lock to be seen", || (keyring() == "locked").then_some(()));
    house.set_keyring_fault(None);
    // Somebody looks; nobody logs in.
    eventually("it to be ready", || (keyring() == "ready").then_some(()));
    house.eventually_true("its end", |truth| truth.alive().is_empty());
    assert_eq!(house.eventually_ended(&id)["reason"], "orphan");
    house.eventually_empty();
}

#[test]
fn replace_ends_the_same_users_others() {
    let house = open("");
    let (first, second) = (house.login(), house.login());
    let other = house.call("session.add", json!({"token": "of-bob", "username": "bob"}));
    let params = json!({"password": PASSWORD, "replace": true});
    let third = house.call("session.login", params)["id"].clone();
    for id in [&first, &second] {
        assert_eq!(house.eventually_ended(id)["reason"], "replaced");
    }
    assert_eq!(house.simulator.truth().alive(), [house.token(third.as_str().unwrap())]);
    assert_eq!(house.state(other["id"].as_str().unwrap()), "active");
}

#[test]
fn a_replace_that_fails_ends_nothing() {
    let house = open("");
    let id = house.login();
    let fault = house.refused("session.login", json!({"password": "wrong", "replace": true}));
    assert_eq!(fault.code, -32007, "{fault:?}");
    assert_eq!(house.state(&id), "active");
    assert_eq!(house.simulator.truth().logins_refused, 1, "a refused password is not tried again");
    assert_eq!(house.refused("session.login", json!({"password": ""})).code, -32602);
    assert_eq!(house.simulator.truth().logins_refused, 1, "an empty password is never sent");
}
