//! What is told, and in which order.

use std::thread::sleep;
use std::time::{Duration, Instant};

use securid_simulator::Fault;
use securid_tests::{House, PATIENCE, Plan, eventually};
use serde_json::{Value, json};

use crate::watcher::Watcher;

/// What each of them tells.
fn kinds(told: &[Value]) -> Vec<&str> {
    told.iter().map(|event| event["event"].as_str().unwrap()).collect()
}

#[test]
fn all_that_there_is_then_ready_then_each_change_and_the_end_last() {
    let house = House::open(Plan::default());
    let (first, second) = (house.login(), house.login());
    let mut watcher = Watcher::new(&house);
    let told = watcher.until("ready");
    assert_eq!(kinds(&told), ["session", "session", "ready"]);
    let there: Vec<Value> = told[..2].iter().map(|event| event["session"].clone()).collect();
    assert_eq!(there, house.sessions(), "as in the list, in its order");

    let mut holder = house.client();
    holder.call("session.hold", json!({"session": first})).unwrap();
    let held = watcher.until_it(|session| session["holds"] == 1).pop().unwrap();
    assert_eq!(held["session"], house.session(&first).unwrap());
    drop(holder);
    watcher.until_it(|session| session["holds"] == 0);

    assert_eq!(house.logout(&first, "10s")["outcome"], "revoked");
    let told = watcher.until("ended");
    let ended = told.last().unwrap();
    assert_eq!(ended["session"], house.eventually_ended(&first), "as in the history");
    assert!(told.iter().all(|event| event["session"]["id"] == *first), "{told:?}");
    assert!(told[..told.len() - 1].iter().all(|event| event["session"]["state"] == "revoking"));
    assert!(house.simulator.truth().alive().len() == 1, "the server says so too");

    let third = house.login();
    let told = watcher.until_it(|session| session["id"] == *third);
    assert_eq!(told.last().unwrap()["session"]["state"], "active");
    assert!(told.iter().all(|event| event["session"]["id"] != *first), "nothing after its end");
    assert_eq!(house.state(&second), "active");
}

#[test]
fn a_server_that_fails_is_seen_to_be_asked_again_and_again() {
    let house = House::open(Plan::default());
    let (id, token) = house.add_one();
    let mut watcher = Watcher::ready(&house);
    house.simulator.set_fault(Some(Fault::Status(503)));
    house.call("session.logout", json!({"sessions": [id]}));
    let tried = |n: u64| {
        move |session: &Value| session["revocation"]["attempts"].as_u64().is_some_and(|a| a >= n)
    };
    let mut told = watcher.until_it(tried(3));
    let last = &told.last().unwrap()["session"]["revocation"];
    assert!(last["last_error"].as_str().unwrap().contains("503"), "{last}");
    assert_eq!((&last["durable"], &last["reason"]), (&json!(true), &json!("request")));
    house.simulator.set_fault(None);
    told.extend(watcher.until("ended"));
    let (ended, before) = told.split_last().unwrap();
    let attempts: Vec<u64> = before
        .iter()
        .map(|event| event["session"]["revocation"]["attempts"].as_u64().unwrap())
        .collect();
    assert!(attempts.is_sorted(), "an older state after a newer one: {attempts:?}");
    assert_eq!(ended["session"]["outcome"], "revoked");
    assert!(!house.fate(&token).alive);
}

#[test]
fn what_ends_by_itself_is_told_without_anybody_asking() {
    let house = House::open(Plan { top: "idle_timeout = \"400ms\"".to_owned(), ..Plan::default() });
    let mut watcher = Watcher::ready(&house);
    let (id, _) = house.add_one();
    let told = watcher.until("ended");
    assert_eq!(told.last().unwrap()["session"]["id"], *id);
    assert_eq!(told.last().unwrap()["session"]["reason"], "idle");
}

#[test]
fn a_keyring_that_does_not_give_a_token_out_is_told_of() {
    let (mut house, held) = House::left_alone(Plan::default(), 1);
    let (id, token) = &held[0];
    house.set_keyring_fault(Some("locked"));
    house.start();
    let mut watcher = Watcher::ready(&house);
    house.call("session.logout", json!({"sessions": [id]}));
    let told = watcher.until_it(|session| session["revocation"]["last_error"].is_string());
    let error = told.last().unwrap()["session"]["revocation"]["last_error"].as_str().unwrap();
    assert!(error.contains("locked"), "{error}");
    house.set_keyring_fault(None);
    house.call("session.retry", json!({}));
    assert_eq!(watcher.until("ended").pop().unwrap()["session"]["outcome"], "revoked");
    assert!(!house.fate(token).alive);
}

#[test]
fn an_end_is_told_once_though_its_secret_cannot_be_cleared_away() {
    let house = House::open(Plan::default());
    let (id, _) = house.add_one();
    let mut watcher = Watcher::ready(&house);
    house.set_keyring_fault(Some("locked"));
    house.call("session.logout", json!({"sessions": [id]}));
    assert_eq!(watcher.until("ended").pop().unwrap()["session"]["id"], *id);
    let again = watcher.hears_within(Duration::from_secs(1));
    house.set_keyring_fault(None);
    assert_eq!(again, None);
}

#[test]
fn a_token_that_is_lent_all_the_time_is_told_of_once_a_second() {
    let house = House::open(Plan::default());
    let (id, _) = house.add_one();
    let mut watcher = Watcher::ready(&house);
    // Within the second in which it was made, its last use looks the same.
    sleep(Duration::from_secs(1));
    let began = Instant::now();
    let mut client = house.client();
    for _ in 0..1000 {
        client.call("session.token", json!({"session": id})).unwrap();
    }
    let seconds = began.elapsed().as_secs() + 2;
    let mut events = 0;
    while watcher.hears_within(Duration::from_millis(200)).is_some() {
        events += 1;
    }
    assert!((1..=seconds).contains(&events), "{events} in {seconds} s");
}

#[test]
fn everybody_is_told_and_not_more_than_sixteen_watch() {
    let house = House::open(Plan::default());
    let mut watchers: Vec<Watcher> = (0..16).map(|_| Watcher::ready(&house)).collect();
    let refused = house.refused("events.subscribe", json!({}));
    assert_eq!(refused.code, -32011, "{refused:?}");
    assert!(refused.data["hint"].is_string(), "{refused:?}");

    let (id, _) = house.add_one();
    house.logout(&id, "10s");
    for watcher in &mut watchers {
        assert_eq!(watcher.until("ended").pop().unwrap()["session"]["id"], *id);
    }
    watchers.pop();
    eventually("room for another", || house.try_call("events.subscribe", json!({})).ok());
}

#[test]
fn nobody_subscribes_twice() {
    let house = House::open(Plan::default());
    let mut client = house.client();
    client.call("events.subscribe", json!({})).unwrap();
    assert_eq!(client.receive().unwrap()["params"]["event"], "ready");
    assert_eq!(client.call("events.subscribe", json!({})).unwrap_err().code, -32600);
    assert_eq!(client.call("events.subscribe", json!({"from": 1})).unwrap_err().code, -32602);
    // It goes on, beside other calls.
    let id = house.login();
    assert_eq!(client.receive().unwrap()["params"]["session"]["id"], *id);
}

#[test]
fn a_stop_is_watched_to_its_end() {
    let mut house = House::open(Plan::default());
    let held = house.add_many(20);
    let mut watcher = Watcher::ready(&house);
    house.call("daemon.stop", json!({}));
    let mut ended = 0;
    while let Some(event) = watcher.next() {
        ended += usize::from(event["event"] == "ended");
    }
    assert!(house.wait_for_end(PATIENCE).success());
    assert_eq!(ended, held.len());
    assert_eq!(house.simulator.truth().alive(), [""; 0]);
}
