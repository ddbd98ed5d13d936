//! Records without secrets, secrets without records, and what is damaged on either side.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;

use securid_simulator::Fault;
use securid_tests::patience::is_root;
use securid_tests::process::run;
use securid_tests::{House, PATIENCE, Plan, eventually, is_installed, skipped};
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

/// The store may only seem to have nothing: what the index knows is looked for at each start.
#[test]
fn neither_a_record_nor_a_secret() {
    let mut house = House::open(Plan::default());
    let (id, token) = house.add_one();
    house.kill_9();
    fs::remove_file(record(&house, &id)).unwrap();
    let (store, elsewhere) = (house.path("store"), house.path("elsewhere"));
    fs::rename(&store, &elsewhere).unwrap();
    fs::create_dir(&store).unwrap();
    house.start();
    eventually("a word about it", || {
        house.log().contains("neither its record nor its secret").then_some(())
    });
    assert_eq!(house.sessions(), [json!(null); 0]);
    assert!(house.terminate().success());
    assert!(house.fate(&token).alive);

    fs::remove_dir(&store).unwrap();
    fs::rename(&elsewhere, &store).unwrap();
    house.start();
    assert_eq!(house.eventually_ended(&id)["reason"], "orphan");
    assert!(!house.fate(&token).alive);
    house.eventually_empty();
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

/// The names of secrets are made from the folder's path: the one that it had first.
#[test]
fn a_state_folder_that_is_moved_and_one_that_is_copied() {
    let mut house = House::open(Plan::default());
    let (id, token) = house.add_one();
    let (unrecorded, other) = house.add_one();
    house.kill_9();
    fs::remove_file(record(&house, &unrecorded)).unwrap();
    let (old, new) = (house.state_dir(), house.path("home/moved"));
    fs::rename(&old, &new).unwrap();
    symlink(&new, &old).unwrap();
    house.start();
    assert_eq!(house.token(&id), token);
    assert_eq!(house.eventually_ended(&unrecorded)["reason"], "orphan");
    assert!(!house.fate(&other).alive);

    house.kill_9();
    fs::remove_file(&old).unwrap();
    fs::rename(&new, &old).unwrap();
    let copied = Command::new("cp").arg("-a").args([&old, &new]).status().unwrap();
    assert!(copied.success());
    let mut command = house.daemon_command();
    command.arg("--state-dir").arg(&new);
    let refused = run(command, "", PATIENCE);
    assert_eq!(refused.status.code(), Some(74), "{refused:?}");
    let told = String::from_utf8_lossy(&refused.stderr);
    assert!(told.contains("it is a copy of") && told.contains("Use the original"), "{told}");
    assert!(!told.contains("chown"), "it is nobody else's: {told}");
    house.start();
    assert_eq!(house.token(&id), token);
}

/// A kernel keyring of another user namespace is another one: nothing is absent because it is not
/// there, and nothing is stored in it.
#[test]
fn a_kernel_keyring_of_another_namespace() {
    if !is_installed("keyctl") || !is_root() {
        return skipped("only root can have a user namespace for certain");
    }
    let mut house = House::open(Plan { keyring: "keyutils", ..Plan::default() });
    let (id, token) = house.add_one();
    let (unrecorded, other) = house.add_one();
    house.kill_9();
    fs::remove_file(record(&house, &unrecorded)).unwrap();
    let daemon = house.daemon_command();
    let mut within = Command::new("unshare");
    within.args(["-U", "--map-root-user"]).arg(daemon.get_program()).args(daemon.get_args());
    within.env_clear();
    within.envs(daemon.get_envs().filter_map(|(name, value)| Some((name, value?))));
    house.start_with(within);
    let refused = house.refused("session.token", json!({"session": id}));
    assert_eq!(refused.code, -32004, "{refused:?}");
    assert!(refused.message.contains("kernel keyrings of its own"), "{refused:?}");
    let brought = house.simulator.issue("alice");
    assert_eq!(house.refused("session.add", json!({"token": brought})).code, -32004);
    assert_eq!(house.state(&id), "active", "not lost");
    house.kill_9();
    house.start();
    assert_eq!(house.token(&id), token);
    assert_eq!(house.eventually_ended(&unrecorded)["reason"], "orphan");
    assert!(!house.fate(&other).alive);
}
