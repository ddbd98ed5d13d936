//! How much is kept, and what becomes of what is too much: sessions, holds, selectors, names, the history.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use securid_tests::{House, PASSWORD, Plan, eventually};
use serde_json::{Value, json};

/// As the contract says.
const MOST_SESSIONS: usize = 10_000;

/// Writes so many records like this one, under other names; what they tell of has no secret.
fn copy_record(record: &Path, copies: usize) {
    let text = fs::read_to_string(record).unwrap();
    let id = record.file_stem().unwrap().to_str().unwrap();
    let taken = u64::from_str_radix(id, 16).unwrap();
    for bits in (1..).filter(|bits| *bits != taken).take(copies) {
        let other = format!("{bits:016x}");
        let copy = text.replace(id, &other);
        fs::write(record.with_file_name(format!("{other}.json")), copy).unwrap();
    }
}

fn counts(house: &House) -> Value {
    house.call("daemon.status", json!({}))["sessions"].clone()
}

/// A session that is lost, one that is dead and cannot be cleared up, and one that is alive all count.
#[test]
fn ten_thousand_sessions_are_the_most() {
    let mut house = House::open(Plan { log: "info", ..Plan::default() });
    let (first, token) = house.add_one();
    house.kill_9();
    copy_record(&house.records()[0], MOST_SESSIONS - 2);
    house.start();
    eventually("all of them", || (counts(&house)["lost"] == MOST_SESSIONS - 2).then_some(()));
    let (second, _) = house.add_one();

    // Nothing is sent that could make a token.
    let logins = house.simulator.truth().logins_ok;
    for (method, params) in [
        ("session.login", json!({"password": PASSWORD})),
        ("session.login", json!({"password": PASSWORD, "replace": true})),
        ("session.add", json!({"token": house.simulator.issue("alice")})),
    ] {
        let refused = house.refused(method, params);
        assert_eq!(refused.code, -32011, "{method}: {refused:?}");
        assert!(refused.message.contains("10000 sessions"), "{method}: {refused:?}");
    }
    assert_eq!(house.simulator.truth().logins_ok, logins);
    assert_eq!(house.add(&token), first, "one that is held already is its session");

    // All of it can be seen, and told.
    let listed: HashSet<String> = house.sessions().iter().map(|s| s["id"].to_string()).collect();
    assert_eq!(listed.len(), MOST_SESSIONS);
    let problems = house.call("daemon.status", json!({}))["problems"].clone();
    assert_eq!(problems.as_array().map(Vec::len), Some(101), "{problems}");

    // There is room for each that has ended, and for no more.
    assert_eq!(house.logout(&second, "20s")["outcome"], "revoked");
    house.eventually_ended(&second);
    eventually("room for one", || {
        let token = house.simulator.issue("alice");
        house.try_call("session.add", json!({"token": &token})).ok()
    });
    assert_eq!(house.refused("session.login", json!({"password": PASSWORD})).code, -32011);
}

#[test]
fn an_answer_about_very_many_fits_into_its_line_and_tells_the_worst() {
    let mut house = House::open(Plan { log: "info", ..Plan::default() });
    let (first, _) = house.add_one();
    let record = house.records().remove(0);
    house.add_one();
    house.kill_9();
    copy_record(&record, 1_100);
    house.start();
    eventually("all of them", || (counts(&house)["lost"] == 1_100).then_some(()));
    let view = house.call("session.logout", json!({"all": true, "wait": "25s"}));
    let sessions = view["sessions"].as_array().unwrap();
    assert_eq!(sessions.len(), 1_000);
    assert_eq!(view["unlisted"], 102);
    assert!(sessions.iter().all(|session| session["state"] == "lost"), "{view}");
    house.eventually_ended(&first);
}

/// What the records tell is taken up and revoked, however many they are.
#[test]
fn what_was_recorded_is_taken_up_beyond_the_limit() {
    let mut house = House::open(Plan { log: "info", ..Plan::default() });
    let (first, token) = house.add_one();
    house.kill_9();
    copy_record(&house.records()[0], MOST_SESSIONS + 10);
    house.start();
    eventually("all of them", || (counts(&house)["lost"] == MOST_SESSIONS + 10).then_some(()));
    assert_eq!(house.sessions().len(), MOST_SESSIONS + 11);
    assert_eq!(house.token(&first), token);
    assert_eq!(house.logout(&first, "20s")["outcome"], "revoked");
    assert!(!house.fate(&token).alive);
    assert_eq!(house.refused("session.login", json!({"password": PASSWORD})).code, -32011);
}

#[test]
fn a_user_name_has_its_bounds() {
    let house = House::open(Plan::default());
    let long = "u".repeat(257);
    for (name, why) in [
        (long.as_str(), "has 257 bytes"),
        ("a\u{1b}[31m", "control characters"),
        ("a\nb", "control"),
    ] {
        for (method, params) in [
            ("session.login", json!({"password": PASSWORD, "username": name})),
            ("session.add", json!({"token": "a-token", "username": name})),
        ] {
            let refused = house.refused(method, params);
            assert_eq!(refused.code, -32602, "{method}: {refused:?}");
            assert!(refused.message.contains(why), "{method}: {refused:?}");
        }
    }
    assert_eq!(house.simulator.truth().connections, 0);
    let taken = house.call("session.add", json!({"token": "a-token", "username": "u".repeat(256)}));
    assert_eq!(taken["state"], "active");
}

#[test]
fn a_connection_holds_so_many_times_and_no_more() {
    let house = House::open(Plan::default());
    let (id, _) = house.add_one();
    let (other, _) = house.add_one();
    let mut client = house.client();
    client.call("session.hold", json!({"session": other})).unwrap();
    for _ in 1..64 {
        client.call("session.hold", json!({"session": id})).unwrap();
    }
    let refused = client.call("session.hold", json!({"session": id})).unwrap_err();
    assert_eq!(refused.code, -32011, "{refused:?}");
    assert_eq!(house.session(&id).unwrap()["holds"], 63);
    // What has ended is held no more.
    assert_eq!(house.logout(&other, "10s")["state"], "ended");
    eventually("its place", || client.call("session.hold", json!({"session": id})).ok());
    assert_eq!(client.call("session.hold", json!({"session": id})).unwrap_err().code, -32011);
    house.call("session.hold", json!({"session": id}));
    drop(client);
    eventually("its release", || (house.session(&id)?["holds"] == 0).then_some(()));
}

#[test]
fn a_request_names_so_many_and_no_more() {
    let house = House::open(Plan::default());
    let (id, _) = house.add_one();
    let mut names: Vec<String> = (0..1_000).map(|n| n.to_string()).collect();
    for method in ["session.logout", "session.retry"] {
        let refused = house.refused(
            method,
            json!({"sessions": ([&names[..], std::slice::from_ref(&id)].concat())}),
        );
        assert_eq!(refused.code, -32011, "{method}: {refused:?}");
    }
    assert_eq!(house.state(&id), "active", "nothing of it was carried out");
    // One that is named twice counts once.
    names[999].clone_from(&id);
    let view =
        house.call("session.logout", json!({"sessions": ([&names[..], &names[..]].concat())}));
    assert_eq!(view["refused"].as_array().map(Vec::len), Some(999));
    assert_eq!(view["sessions"][0]["id"], id);
}
