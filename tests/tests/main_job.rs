//! Login, add, lend and log out on each store; secrets are nowhere but there and at the server.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use securid_tests::patience::is_installed;
use securid_tests::{House, Plan};
use serde_json::json;

#[test]
fn on_the_test_store() {
    main_job(&mut House::open(Plan { log: "trace", ..Plan::default() }), "test");
}

#[test]
fn on_the_kernels_keyring() {
    if is_installed("keyctl") {
        let plan = Plan { keyring: "keyutils", log: "trace", ..Plan::default() };
        main_job(&mut House::open(plan), "keyutils");
    }
}

#[test]
fn on_gnome_keyring() {
    let plan = Plan { keyring: "secret-service", log: "trace", ..Plan::default() };
    if let Some(mut house) = House::with_gnome_keyring(plan) {
        main_job(&mut house, "secret-service");
    }
}

fn main_job(house: &mut House, keyring: &str) {
    let survives = keyring != "keyutils";
    let taken = house.call("session.login", json!({"password": securid_tests::PASSWORD}));
    assert_eq!(taken["warning"].is_null(), survives, "{taken}");
    let first = taken["id"].as_str().unwrap().to_owned();
    let (second, handed_over) = house.add_one();
    let made = house.simulator.truth().tokens[0].token.clone();
    assert_eq!(house.add(&handed_over), second, "one that is held already is its session");

    let sessions = house.sessions();
    assert_eq!(sessions.len(), 2);
    for session in &sessions {
        assert_eq!(session["state"], "active");
        assert_eq!(session["instance"], "prod");
        assert_eq!(session["username"], "alice");
        assert_eq!(session["keyring"], keyring);
        let url = format!("{}/command.submit", house.simulator.url());
        assert_eq!(session["url"], url.as_str());
        assert_eq!(session["revocation"], json!(null));
    }
    assert_eq!((house.records().len(), house.secrets()), (2, 2));
    let status = house.call("daemon.status", json!({}));
    assert_eq!(status["sessions"]["active"], 2);
    assert_eq!(
        status["keyring"],
        json!({"kind": keyring, "state": "ready", "survives_reboot": survives})
    );

    let lent = house.call("session.token", json!({"session": first}));
    assert_eq!(lent["token"], made.as_str());
    assert_eq!(lent["session"], first.as_str());
    assert_eq!(house.token(&second), handed_over);
    let touched = house.call("session.touch", json!({"session": second}));
    assert_eq!(touched, json!({"session": second}));
    house.assert_no_leak();

    let item = house.logout(&first, "10s");
    assert_eq!(item["state"], "ended", "{item}");
    assert_eq!(item["outcome"], "revoked");
    assert_eq!(house.simulator.truth().alive(), [handed_over.as_str()]);
    assert_eq!(house.refused("session.token", json!({"session": first})).code, -32001);
    let again = house.logout(&first, "10s");
    assert_eq!(again["outcome"], "revoked", "an ended one known to the history is done");
    let rest = house.call("session.logout", json!({"all": true, "wait": "10s"}));
    assert_eq!(rest["sessions"][0]["outcome"], "revoked");

    let truth = house.simulator.truth();
    assert_eq!(truth.alive(), [""; 0]);
    assert!(truth.tokens.iter().all(|token| token.logout_requests == 1), "{truth:#?}");
    assert_eq!((truth.logins_ok, truth.requests_refused, truth.redirects_followed), (1, 0, 0));
    assert_eq!(house.sessions(), [json!(null); 0]);
    let history = house.call("session.history", json!({}));
    let ids: Vec<_> = history["sessions"].as_array().unwrap().iter().map(|s| &s["id"]).collect();
    assert_eq!(ids, [&json!(second), &json!(first)], "newest first");
    for line in history["sessions"].as_array().unwrap() {
        assert_eq!((&line["reason"], &line["outcome"]), (&json!("request"), &json!("revoked")));
        assert_eq!(line["attempts"], 1);
        assert!(line["evidence"].as_str().unwrap().contains("200"), "{line}");
    }
    house.eventually_empty();
    assert!(house.terminate().success());
    house.assert_no_leak();
}
