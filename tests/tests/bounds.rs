//! How much is kept, and what becomes of what is too much: sessions, holds, selectors, names, the history.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use securid_simulator::Fault;
use securid_tests::{House, PASSWORD, Plan, eventually, within};
use serde_json::{Value, json};

/// As the contract says.
const MOST_SESSIONS: usize = 10_000;

/// For ten thousand of anything, on a busy machine and a daemon that is not optimised.
const LONG: Duration = Duration::from_secs(120);

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

/// What was recorded is taken up beyond the limit, and nothing new until there is room.
#[test]
fn ten_thousand_sessions_are_the_most() {
    const BEYOND: usize = 3;
    let mut house = House::open(Plan { log: "info", ..Plan::default() });
    let (first, token) = house.add_one();
    house.kill_9();
    copy_record(&house.records()[0], MOST_SESSIONS - 1 + BEYOND);
    house.start();
    let lost = MOST_SESSIONS - 1 + BEYOND;
    within(LONG, "all of them", || (counts(&house)["lost"] == lost).then_some(()));

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
    let listed = house.sessions();
    let ids: HashSet<String> = listed.iter().map(|s| s["id"].to_string()).collect();
    assert_eq!(ids.len(), MOST_SESSIONS + BEYOND);
    let problems = house.call("daemon.status", json!({}))["problems"].clone();
    assert_eq!(problems.as_array().map(Vec::len), Some(101), "{problems}");

    // There is room for one as soon as so many have gone, and for no more.
    for session in listed.iter().filter(|session| session["state"] == "lost").take(BEYOND) {
        house.call("session.forget", json!({"session": session["id"]}));
    }
    let is_full = |token: &str| house.try_call("session.add", json!({"token": token})).is_err();
    let token = house.simulator.issue("alice");
    assert!(is_full(&token));
    assert_eq!(house.logout(&first, "20s")["outcome"], "revoked");
    eventually("room for one", || (!is_full(&token)).then_some(()));
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
    within(LONG, "all of them", || (counts(&house)["lost"] == 1_100).then_some(()));
    house.simulator.set_fault(Some(Fault::Status(500)));
    let view = house.call("session.logout", json!({"all": true, "wait": "2s"}));
    let sessions = view["sessions"].as_array().unwrap();
    assert_eq!(sessions.len(), 1_000);
    assert_eq!(view["unlisted"], 102);
    // What is lost counts for nothing where all is meant, and what may live is not left out for it.
    let count = |state| sessions.iter().filter(|session| session["state"] == state).count();
    assert_eq!((count("revoking"), count("lost")), (2, 998), "{view}");
    assert_eq!(house.ctl(&["logout", "--timeout", "1s"]).status.code(), Some(75));
    let drained = house.run_daemon(&["--drain", "--timeout", "1s"]);
    assert_eq!(drained.status.code(), Some(75), "{drained:?}");
    house.simulator.set_fault(None);
    house.eventually_ended(&first);
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

/// A line of the history, of a session that ended so many days ago.
fn ended(number: u64, days: i64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let at = i64::try_from(now).unwrap() - days * 86_400;
    let at = jiff::Timestamp::from_second(at).unwrap();
    let line = json!({
        "id": format!("{number:016x}"), "generation": number, "instance": "prod", "url": "https://h/", "username": "alice",
        "created_at": at, "requested_at": at, "ended_at": at,
        "reason": "request", "outcome": "revoked", "attempts": 1, "evidence": "by hand",
    });
    format!("{line}\n")
}

/// All of the history, page by page.
fn history(house: &House, mut params: Value) -> Vec<String> {
    let mut ids = Vec::new();
    loop {
        let page = house.call("session.history", params.clone());
        let lines = page["sessions"].as_array().unwrap();
        ids.extend(lines.iter().map(|line| line["id"].as_str().unwrap().to_owned()));
        if page["cursor"].is_null() {
            return ids;
        }
        params["cursor"] = page["cursor"].clone();
    }
}

#[test]
fn the_history_goes_back_as_far_as_it_is_kept() {
    let mut house = House::open(Plan::default());
    let (id, _) = house.add_one();
    assert_eq!(house.logout(&id, "10s")["outcome"], "revoked");
    assert!(house.terminate().success());
    let file = house.state_dir().join("history.jsonl");
    let recent = fs::read_to_string(&file).unwrap();
    fs::write(&file, [ended(1, 402), ended(2, 399), ended(3, 35), recent].concat()).unwrap();
    house.start();
    let (one, two, three) = (format!("{:016x}", 1), format!("{:016x}", 2), format!("{:016x}", 3));
    assert_eq!(history(&house, json!({})), [&id, &three, &two].map(String::as_str));
    eventually("a shorter file", || {
        (!fs::read_to_string(&file).ok()?.contains(&one)).then_some(())
    });
    assert_eq!(history(&house, json!({})), [&id, &three, &two].map(String::as_str));

    // An ended one counts as done as long as the history knows it.
    let refused = |view: &Value| view["refused"].as_array().map_or(0, Vec::len);
    let ids = json!([one, two, three, id]);
    let view = house.call("session.logout", json!({"sessions": ids}));
    assert_eq!((refused(&view), view["sessions"].as_array().unwrap().len()), (1, 3), "{view}");
    assert_eq!(view["refused"][0]["selector"], one);
    assert_eq!(view["refused"][0]["code"], -32001);

    house.change_config("keyring = ", "history_keep = \"34d\"\nkeyring = ");
    house.call("daemon.reload", json!({}));
    assert_eq!(history(&house, json!({})), [id.as_str()], "it counts at once");
    let view = house.call("session.logout", json!({"sessions": ids}));
    assert_eq!((refused(&view), view["sessions"].as_array().unwrap().len()), (3, 1), "{view}");
    let (other, _) = house.add_one();
    assert_eq!(house.logout(&other, "10s")["outcome"], "revoked");
    eventually("a shorter file", || {
        (!fs::read_to_string(&file).ok()?.contains(&two)).then_some(())
    });

    house.change_config("34d", "1h");
    let refused = house.refused("daemon.reload", json!({}));
    assert!(refused.message.contains("at least 1d"), "{refused:?}");
}

#[test]
fn a_long_history_comes_in_pages() {
    let mut house = House::open(Plan::default());
    assert!(house.terminate().success());
    let lines: String = (0..1_234_u64).map(|n| ended(n, if n < 200 { 20 } else { 10 })).collect();
    fs::write(house.state_dir().join("history.jsonl"), lines).unwrap();
    house.start();
    let newest_first: Vec<String> = (0..1_234).rev().map(|n| format!("{n:016x}")).collect();
    for limit in [json!(null), json!(7), json!(500), json!(100_000)] {
        assert_eq!(history(&house, json!({"limit": limit})), newest_first, "{limit}");
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let between = jiff::Timestamp::from_second(i64::try_from(now).unwrap() - 15 * 86_400).unwrap();
    assert_eq!(history(&house, json!({"until": between})), newest_first[1_034..]);
    assert_eq!(history(&house, json!({"since": between, "limit": 100})), newest_first[..1_034]);
    assert_eq!(history(&house, json!({"instance": "none"})), [""; 0]);
    for cursor in ["5", "", "0.0.0000000000000001", "99999999.1.00000000ffffffff"] {
        let refused = house.refused("session.history", json!({"cursor": cursor}));
        assert_eq!(refused.code, -32602, "{cursor}: {refused:?}");
    }
}
