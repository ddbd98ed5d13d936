//! A keyring that this system has not: the config says so, and a session that has its token there waits.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;

use securid_store::StoreKind;
use securid_tests::{House, Plan};
use serde_json::json;

/// One that is never there where this runs, and its name.
fn elsewhere() -> &'static str {
    let all = [StoreKind::Keychain, StoreKind::CredentialManager, StoreKind::SecretService];
    all.into_iter().find(|kind| !kind.is_of_this_system()).expect("no system has all").name()
}

#[test]
fn a_session_of_another_systems_keyring_is_not_lost() {
    let mut house = House::open(Plan::default());
    let (id, token) = house.add_one();
    house.kill_9();
    let record = house.records().remove(0);
    let text = fs::read_to_string(&record).unwrap();
    let moved = text.replace("\"keyring\": \"test\"", &format!("\"keyring\": \"{}\"", elsewhere()));
    assert_ne!(moved, text);
    fs::write(&record, moved).unwrap();
    house.start();

    let refused = house.refused("session.token", json!({"session": id}));
    assert_eq!(refused.code, -32004, "{refused:?}");
    assert!(refused.message.contains("this system has no such store"), "{refused:?}");
    let view = house.logout(&id, "1s");
    assert_eq!(
        (&view["state"], &view["outcome"]),
        (&json!("revoking"), &json!(null)),
        "and not lost"
    );
    let why = view["last_error"].as_str().unwrap();
    assert!(why.contains(&format!("({}) is unavailable: this system", elsewhere())), "{why}");

    // On the system that it is from, it goes on.
    house.kill_9();
    let text = fs::read_to_string(&record).unwrap();
    fs::write(&record, text.replace(elsewhere(), "test")).unwrap();
    house.start();
    assert_eq!(house.eventually_ended(&id)["outcome"], "revoked");
    assert!(house.fate(&token).ended_at.is_some());
}

#[test]
fn the_check_of_the_config_names_those_that_there_are() {
    let house = House::build(Plan::default());
    house.change_config("keyring = \"test\"", &format!("keyring = \"{}\"", elsewhere()));
    let output = house.run_daemon(&["--check-config"]);
    assert_eq!(output.status.code(), Some(78));
    let said = String::from_utf8_lossy(&output.stderr);
    let expected =
        format!("keyring: \"{}\" is a keyring that this system has not: write auto, ", elsewhere());
    assert!(said.contains(&expected), "{said}");
}
