//! Records without secrets, secrets without records, and what is damaged on either side.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::path::PathBuf;

use securid_simulator::Fault;
use securid_tests::{House, Plan, eventually, is_installed};
use serde_json::json;

fn sessions(house: &House) -> PathBuf {
    house.state_dir().join("sessions")
}

fn record(house: &House, id: &str) -> PathBuf {
    sessions(house).join(format!("{id}.json"))
}

fn problems(house: &House) -> String {
    house.call("daemon.status", json!({}))["problems"].to_string()
}

#[test]
fn a_record_that_is_gone_on_the_test_store() {
    without_a_record("test");
}

/// It cannot be searched: only the index tells.
#[test]
fn a_record_that_is_gone_on_the_kernels_keyring() {
    if is_installed("keyctl") {
        without_a_record("keyutils");
    }
}

fn without_a_record(keyring: &'static str) {
    let mut house = House::open(Plan { keyring, ..Plan::default() });
    let (id, token) = house.add_one();
    let (pending, other) = house.add_one();
    house.simulator.set_fault(Some(Fault::Down));
    house.call("session.logout", json!({"sessions": [pending]}));
    house.kill_9();
    fs::remove_dir_all(sessions(&house)).unwrap();
    house.simulator.set_fault(None);
    house.start();
    for (id, token) in [(&id, &token), (&pending, &other)] {
        assert_eq!(house.eventually_ended(id)["reason"], "orphan");
        assert!(!house.fate(token).alive);
    }
    house.eventually_empty();

    // What is settled is not looked for again.
    assert!(house.terminate().success());
    fs::remove_dir_all(sessions(&house)).unwrap();
    house.start();
    assert_eq!(house.simulator.truth().logout_requests, 2);
    assert_eq!(problems(&house), "[]");
}

#[test]
fn neither_a_record_nor_a_secret() {
    let mut house = House::open(Plan::default());
    let (id, _) = house.add_one();
    house.kill_9();
    fs::remove_file(record(&house, &id)).unwrap();
    for secret in fs::read_dir(house.path("store")).unwrap().flatten() {
        fs::remove_file(secret.path()).unwrap();
    }
    house.start();
    eventually("the index to forget it", || {
        fs::read_to_string(house.index()).unwrap().contains("\"gone\":true").then_some(())
    });
    eventually("a word about it", || {
        house.log().contains("neither its record nor its secret").then_some(())
    });
    assert_eq!(house.sessions(), [json!(null); 0]);
}

#[test]
fn a_record_that_is_gone_while_the_keyring_is_locked() {
    let mut house = House::open(Plan::default());
    let (id, token) = house.add_one();
    house.kill_9();
    fs::remove_file(record(&house, &id)).unwrap();
    house.set_keyring_fault(Some("locked"));
    house.start();
    assert!(house.terminate().success());
    assert!(house.fate(&token).alive);
    house.start();
    house.set_keyring_fault(None);
    eventually("its end", || {
        house.call("daemon.status", json!({}));
        (!house.fate(&token).alive).then_some(())
    });
    house.eventually_empty();
}

type Damage = fn(Vec<u8>) -> Vec<u8>;

/// Each kind of damage: the record is set aside, its token revoked, and no other is touched.
#[test]
fn records_that_are_damaged() {
    let mut house = House::open(Plan::default());
    let held = house.add_many(6);
    let (good, alive) = house.add_one();
    house.kill_9();
    let damages: [(&str, Damage); 6] = [
        ("emptied", |_| Vec::new()),
        ("truncated", |bytes| bytes[..bytes.len() / 2].to_vec()),
        ("cut by a byte", |bytes| bytes[..bytes.len() - 1].to_vec()),
        ("zeroes", |bytes| vec![0; bytes.len()]),
        ("noise", |bytes| bytes.iter().map(|b| b ^ 0x5a).collect()),
        ("a field more", |bytes| {
            String::from_utf8(bytes).unwrap().replacen('{', "{\"more\": 1,", 1).into_bytes()
        }),
    ];
    for ((id, _), (_, damage)) in held.iter().zip(damages) {
        let path = record(&house, id);
        fs::write(&path, damage(fs::read(&path).unwrap())).unwrap();
    }
    house.start();
    for ((id, token), (name, _)) in held.iter().zip(damages) {
        assert_eq!(house.eventually_ended(id)["reason"], "orphan", "{name}");
        assert!(!house.fate(token).alive, "{name}");
        let aside = house.state_dir().join(format!("damaged/{id}.json"));
        assert!(aside.is_file(), "{name}");
    }
    assert_eq!(house.token(&good), alive);
    assert!(problems(&house).contains("damaged"), "{}", problems(&house));
}

#[test]
fn a_record_that_is_there_twice() {
    let mut house = House::open(Plan::default());
    let (id, token) = house.add_one();
    house.kill_9();
    for copy in ["00000000000000aa.json", "copy of a record.json"] {
        fs::copy(record(&house, &id), sessions(&house).join(copy)).unwrap();
    }
    house.start();
    assert_eq!(house.token(&id), token, "the one with the right name counts");
    assert_eq!(house.sessions().len(), 1);
    assert_eq!(fs::read_dir(house.state_dir().join("damaged")).unwrap().count(), 2);
    assert_eq!(house.logout(&id, "10s")["outcome"], "revoked");
    assert_eq!(house.fate(&token).logout_requests, 1);
}

#[test]
fn an_index_that_is_damaged_or_gone() {
    let mut house = House::open(Plan::default());
    let (id, token) = house.add_one();
    house.kill_9();
    let path = house.index();
    fs::write(&path, b"\x00\xff noise\n").unwrap();
    house.start();
    assert_eq!(house.token(&id), token);
    assert!(problems(&house).contains("index"), "{}", problems(&house));
    let name = path.file_name().unwrap();
    assert!(house.state_dir().join("damaged").join(name).is_file());

    house.kill_9();
    fs::remove_file(&path).unwrap();
    house.start();
    assert_eq!(house.token(&id), token);
    // It was made anew from the records.
    house.kill_9();
    fs::remove_file(record(&house, &id)).unwrap();
    house.start();
    assert_eq!(house.eventually_ended(&id)["reason"], "orphan");
    assert!(!house.fate(&token).alive);
}
