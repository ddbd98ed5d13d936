//! The sealed file: reboots, crashes, no key, a wrong one, damage. Nothing is lost, and no secret that
//! cannot be read is taken for one that is not there.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::{Command, Output};
use std::time::Duration;

use securid_simulator::Fault;
use securid_tests::process::run;
use securid_tests::programs::programs;
use securid_tests::{
    House, PASSWORD, PATIENCE, Plan, SmallDisk, eventually, is_installed, timed, within,
};
use serde_json::json;

/// The contract's 5 s for a keyring, and what a loaded machine adds.
const ANSWERED: Duration = Duration::from_millis(6500);

/// A store that came back is noticed within the longest wait between two errands (30 s).
const NOTICED: Duration = Duration::from_secs(40);

fn plan() -> Plan {
    Plan { keyring: "sealed-file", ..Plan::default() }
}

fn sessiond(words: &[&str]) -> Output {
    let mut command = Command::new(&programs().daemon);
    command.args(words);
    run(command, "", PATIENCE)
}

#[test]
fn the_main_job() {
    let house = House::open(plan());
    let first = house.call("session.login", json!({"password": PASSWORD}));
    assert_eq!((&first["keyring"], &first["warning"]), (&json!("sealed-file"), &json!(null)));
    let (second, token) = house.add_one();
    assert_eq!(house.token(&second), token);
    assert_eq!(house.secrets(), 2);
    assert_eq!(fs::metadata(house.sealed_file()).unwrap().mode() & 0o777, 0o600);
    let status = house.call("daemon.status", json!({}));
    let expected = json!({"kind": "sealed-file", "state": "ready", "survives_reboot": true});
    assert_eq!((&status["keyring"], &status["problems"]), (&expected, &json!([])));
    assert_eq!(house.ctl(&["status"]).status.code(), Some(0));
    house.assert_no_leak();
    house.call("session.logout", json!({"all": true, "wait": "10s"}));
    assert_eq!(house.simulator.truth().alive(), [""; 0]);
    house.eventually_empty();
}

#[test]
fn a_crash_and_a_reboot_lose_nothing() {
    let mut house = House::open(Plan { top: "require_durable = true".into(), ..plan() });
    let id = house.login();
    let token = house.token(&id);
    house.kill_9();
    house.start();
    assert_eq!(house.token(&id), token);
    let (pending, _) = house.add_one();
    house.simulator.set_fault(Some(Fault::Down));
    assert_eq!(house.logout(&pending, "300ms")["state"], "revoking");
    house.kill_9();
    house.reboot();
    house.start();
    assert!(house.fate(&token).alive);
    house.simulator.set_fault(None);
    assert_eq!(house.eventually_ended(&pending)["reason"], "request");
    assert_eq!(house.eventually_ended(&id)["reason"], "shutdown");
    assert_eq!(house.simulator.truth().alive(), [""; 0]);
    house.eventually_empty();
}

#[test]
fn a_wrong_key_at_the_start() {
    without_its_key("was sealed with another key", |house| {
        fs::rename(house.key_file(), house.path("elsewhere")).unwrap();
        let made = sessiond(&["--make-key", house.key_file().to_str().unwrap()]);
        assert!(made.status.success());
    });
}

#[test]
fn a_missing_key_at_the_start() {
    without_its_key("is not there", |house| {
        fs::rename(house.key_file(), house.path("elsewhere")).unwrap();
    });
}

#[test]
fn something_else_in_the_place_of_the_key_at_the_start() {
    without_its_key("holds no key", |house| {
        fs::rename(house.key_file(), house.path("elsewhere")).unwrap();
        fs::copy(house.config(), house.key_file()).unwrap();
        fs::set_permissions(
            house.key_file(),
            fs::metadata(house.path("elsewhere")).unwrap().permissions(),
        )
        .unwrap();
    });
}

fn without_its_key(word: &str, take_away: impl FnOnce(&House)) {
    let mut house = House::open(plan());
    let held = house.add_many(3);
    house.kill_9();
    let before = fs::read(house.sealed_file()).unwrap();
    take_away(&house);
    house.start();
    assert_eq!(house.sessions().iter().filter(|s| s["state"] == "active").count(), 3);
    for (method, params) in [
        ("session.token", json!({"session": held[0].0})),
        ("session.login", json!({"password": PASSWORD})),
        ("session.add", json!({"token": "a-token"})),
    ] {
        let (refused, took) = timed(|| house.refused(method, params));
        assert_eq!(refused.code, -32004, "{method}: {refused:?}");
        assert!(refused.message.contains(word), "{method}: {refused:?}");
        assert!(refused.data["hint"].is_string(), "{refused:?}");
        assert!(took < ANSWERED, "{method}: {took:?}");
    }
    assert_eq!(house.simulator.truth().logins_ok, 0);
    let status = eventually("the status to say so", || {
        let status = house.call("daemon.status", json!({}));
        (status["keyring"]["state"] == "unavailable").then_some(status)
    });
    assert_eq!(
        (&status["sessions"]["lost"], &status["sessions"]["active"]),
        (&json!(0), &json!(3))
    );
    assert!(status["problems"].to_string().contains(word), "{status}");
    assert_eq!(house.ctl(&["status"]).status.code(), Some(1));
    assert_eq!(house.ctl(&["token", &held[0].0]).status.code(), Some(74));
    assert_eq!(house.ctl(&["logout", &held[1].0, "--timeout", "500ms"]).status.code(), Some(75));
    assert_eq!(house.state(&held[1].0), "revoking");

    // Nor does a stop or another start take anything amiss.
    house.terminate_keeping();
    house.start();
    assert_eq!(house.sessions().iter().filter(|s| s["state"] == "lost").count(), 0);
    assert_eq!(fs::read(house.sealed_file()).unwrap(), before, "it was touched");

    let _ = fs::remove_file(house.key_file());
    fs::rename(house.path("elsewhere"), house.key_file()).unwrap();
    assert_eq!(within(NOTICED, "the logout", || house.ended(&held[1].0))["outcome"], "revoked");
    for (id, token) in [&held[0], &held[2]] {
        let lent = within(NOTICED, "the token", || {
            house.try_call("session.token", json!({"session": id})).ok()
        });
        assert_eq!(lent["token"], token.as_str());
    }
    within(NOTICED, "it to be well again", || {
        (house.call("daemon.status", json!({}))["problems"] == json!([])).then_some(())
    });
    house.call("session.logout", json!({"all": true, "wait": "10s"}));
    assert_eq!(house.simulator.truth().alive(), [""; 0]);
    house.eventually_empty();
}

#[test]
fn no_key_set_any_more() {
    let mut house = House::open(plan());
    let (id, token) = house.add_one();
    house.kill_9();
    house.change_config("key_file", "#key_file");
    house.start();
    let refused = house.refused("session.token", json!({"session": id}));
    assert!(refused.message.contains("has no key"), "{refused:?}");
    assert!(refused.data["hint"].as_str().unwrap().contains("--make-key"), "{refused:?}");
    assert_eq!(house.state(&id), "active");
    house.kill_9();
    house.change_config("#key_file", "key_file");
    house.start();
    assert_eq!(house.token(&id), token);
}

#[test]
fn a_bad_config_that_still_names_the_key_drains_it() {
    let mut house = House::open(plan());
    let (id, token) = house.add_one();
    house.kill_9();
    house.change_config("[instances.prod]", "[instances.prod]\nno_such_key = 1");
    let output = run(house.daemon_command(), "", PATIENCE);
    assert_eq!(output.status.code(), Some(78), "{output:?}");
    assert!(!house.fate(&token).alive);
    house.change_config("no_such_key = 1", "");
    house.start();
    assert_eq!(house.eventually_ended(&id)["outcome"], "revoked");
    house.eventually_empty();
}

#[test]
fn the_key_goes_while_the_daemon_runs() {
    let house = House::open(plan());
    let (id, _) = house.add_one();
    fs::rename(house.key_file(), house.path("elsewhere")).unwrap();
    assert_eq!(house.logout(&id, "10s")["outcome"], "revoked");
    eventually("its record to go", || house.records().is_empty().then_some(()));
}

/// What it would seal with the old key would never open again.
#[test]
fn another_key_in_its_place_while_the_daemon_runs() {
    let mut house = House::open(plan());
    let (id, token) = house.add_one();
    fs::rename(house.key_file(), house.path("elsewhere")).unwrap();
    assert!(sessiond(&["--make-key", house.key_file().to_str().unwrap()]).status.success());
    for (method, params) in [
        ("session.login", json!({"password": PASSWORD})),
        ("session.add", json!({"token": "a-token"})),
    ] {
        let refused = house.refused(method, params);
        assert_eq!(refused.code, -32004, "{method}: {refused:?}");
        assert!(refused.message.contains("key"), "{method}: {refused:?}");
    }
    assert_eq!(house.simulator.truth().logins_ok, 0);
    assert_eq!(house.token(&id), token);
    fs::rename(house.path("elsewhere"), house.key_file()).unwrap();
    let (other, brought) = house.add_one();
    house.kill_9();
    house.start();
    assert_eq!((house.token(&id), house.token(&other)), (token, brought));
}

#[test]
fn damage_costs_only_what_it_hits() {
    let mut house = House::open(plan());
    let held = house.add_many(3);
    house.kill_9();
    let mut bytes = fs::read(house.sealed_file()).unwrap();
    let hit = held[1].0.as_bytes();
    let at = bytes.windows(hit.len()).position(|name| name == hit).unwrap();
    bytes[at + 60] ^= 1;
    fs::write(house.sealed_file(), &bytes).unwrap();
    house.start();
    let refused = house.refused("session.token", json!({"session": held[1].0}));
    assert_eq!(refused.code, -32004, "{refused:?}");
    assert!(refused.message.contains("is damaged"), "{refused:?}");
    for (id, token) in [&held[0], &held[2]] {
        assert_eq!(&house.token(id), token);
        assert_eq!(house.logout(id, "10s")["outcome"], "revoked");
    }
    assert_eq!(house.simulator.truth().alive(), [held[1].1.as_str()]);
    assert_eq!(house.refused("session.login", json!({"password": PASSWORD})).code, -32004);
    assert_eq!(house.state(&held[1].0), "active", "it is not lost");
    assert_eq!(fs::read(house.sealed_file()).unwrap(), bytes, "it was touched");

    // A person moves it away, and so decides that the rest is lost.
    fs::rename(house.sealed_file(), house.path("damaged")).unwrap();
    house.kill_9();
    house.start();
    eventually("it to be missed", || (house.state(&held[1].0) == "lost").then_some(()));
    eventually("the others' records to go", || (house.records().len() == 1).then_some(()));
    let (next, token) = house.add_one();
    assert_eq!(house.token(&next), token);
    // Brought back, it makes good: what was lost is there again.
    house.kill_9();
    bytes[at + 60] ^= 1;
    fs::write(house.sealed_file(), &bytes).unwrap();
    house.start();
    assert_eq!(house.token(&held[1].0), held[1].1);
}

#[test]
fn a_secret_without_a_record_is_found_and_revoked() {
    let mut house = House::open(plan());
    let (id, _) = house.add_one();
    house.kill_9();
    fs::remove_file(&house.records()[0]).unwrap();
    // Nor does the index tell of it any more.
    for file in fs::read_dir(house.state_dir()).unwrap().flatten() {
        if file.file_name().to_string_lossy().starts_with("index") {
            fs::remove_file(file.path()).unwrap();
        }
    }
    // Wherever new ones go: it is searched because there is a key to it.
    house.change_config("keyring = \"sealed-file\"", "keyring = \"test\"");
    house.start();
    assert_eq!(house.eventually_ended(&id)["reason"], "orphan");
    assert_eq!(house.simulator.truth().alive(), [""; 0]);
    house.eventually_empty();
}

#[test]
fn killed_at_every_step_of_a_change() {
    for step in ["created", "written", "synced", "renamed", "folder-synced"] {
        // The first change adds the first session, the second one the second.
        let mut house = House::build(plan());
        let mut command = house.daemon_command();
        command.env("SECURID_CRASH_AT", format!("sealed-file.{step}#2"));
        house.start_with(command);
        let (kept, token) = house.add_one();
        let brought = house.simulator.issue("alice");
        let answer = house.client().call_until_gone("session.add", json!({"token": brought}));
        assert!(answer.is_none(), "{step}: {answer:?}");
        house.wait_for_end(PATIENCE);
        house.start();
        assert_eq!(house.token(&kept), token, "{step}");
        // Nobody was told of the other: it is revoked if it got as far as into the file.
        let written = matches!(step, "renamed" | "folder-synced");
        eventually("the other to be cleared up", || {
            (house.records().len() == 1 && house.secrets() == 1).then_some(())
        });
        assert_eq!(house.fate(&brought).alive, !written, "{step}");

        // And the same with the change that deletes.
        house.kill_9();
        let mut command = house.daemon_command();
        command.env("SECURID_CRASH_AT", format!("sealed-file.{step}#1"));
        house.start_with(command);
        let _ =
            house.client().call_until_gone("session.logout", json!({"all": true, "wait": "10s"}));
        house.wait_for_end(PATIENCE);
        house.start();
        assert_eq!(house.eventually_ended(&kept)["outcome"], "revoked", "{step}");
        house.eventually_empty();
        let after = fs::read_dir(house.state_dir()).unwrap().flatten();
        let after: Vec<_> = after.map(|f| f.file_name().to_string_lossy().into_owned()).collect();
        assert!(!after.iter().any(|name| name.starts_with(".tmp")), "{step}: {after:?}");
    }
}

#[test]
fn a_full_disk() {
    if !SmallDisk::is_possible() {
        return;
    }
    let house = House::open(Plan { disk: Some("256k"), ..plan() });
    let (id, token) = house.add_one();
    house.disk().fill();
    let refused = house.refused("session.login", json!({"password": PASSWORD}));
    assert_eq!(refused.code, -32005, "{refused:?}");
    assert_eq!(house.token(&id), token);
    // It is revoked all the same, and cleared up when there is room.
    assert_eq!(house.logout(&id, "10s")["outcome"], "revoked");
    house.disk().empty();
    within(NOTICED, "the record to go", || house.records().is_empty().then_some(()));
    let (next, token) = house.add_one();
    assert_eq!(house.token(&next), token);
}

#[test]
fn auto_turns_to_it_where_it_has_a_key() {
    if !is_installed("keyctl") {
        return;
    }
    // No bus in either.
    for with_key in [true, false] {
        let mut house = House::build(Plan { keyring: "auto", ..Plan::default() });
        if with_key {
            house.give_key();
        }
        house.start();
        let (session, took) = timed(|| house.call("session.login", json!({"password": PASSWORD})));
        assert!(took < ANSWERED, "{took:?}");
        let kind = if with_key { "sealed-file" } else { "keyutils" };
        assert_eq!(session["keyring"], kind);
        assert_eq!(session["warning"].is_null(), with_key, "{session}");
        let status = house.call("daemon.status", json!({}));
        let expected = json!({"kind": kind, "state": "ready", "survives_reboot": with_key});
        assert_eq!(status["keyring"], expected);
        house.call("session.logout", json!({"all": true, "wait": "10s"}));
        eventually("the record to go", || house.records().is_empty().then_some(()));
        if with_key {
            assert_eq!(house.sealed_secrets(), 0);
        }
    }
}

#[test]
fn auto_forgets_no_secret_of_it_and_takes_no_worse_store() {
    let mut house = House::build(Plan { keyring: "auto", ..Plan::default() });
    house.give_key();
    house.start();
    let (id, token) = house.add_one();
    house.kill_9();
    fs::rename(house.key_file(), house.path("elsewhere")).unwrap();
    house.start();
    let refused = house.refused("session.login", json!({"password": PASSWORD}));
    assert_eq!(refused.code, -32004, "{refused:?}");
    assert!(refused.message.contains("sealed-file"), "{refused:?}");
    let status = house.call("daemon.status", json!({}));
    assert_eq!(
        (&status["keyring"]["kind"], &status["keyring"]["state"]),
        (&json!("sealed-file"), &json!("unavailable"))
    );
    fs::rename(house.path("elsewhere"), house.key_file()).unwrap();
    let lent = within(NOTICED, "the token", || {
        house.try_call("session.token", json!({"session": id})).ok()
    });
    assert_eq!(lent["token"], token.as_str());
}

#[test]
fn the_credential_of_a_service() {
    let mut house = House::open(plan());
    let (id, token) = house.add_one();
    house.kill_9();
    house.change_config("key_file", "#key_file");
    fs::create_dir(house.path("credentials")).unwrap();
    fs::rename(house.key_file(), house.path("credentials/securid-store-key")).unwrap();
    let mut command = house.daemon_command();
    command.env("CREDENTIALS_DIRECTORY", house.path("credentials"));
    house.start_with(command);
    assert_eq!(house.token(&id), token);
    assert_eq!(house.logout(&id, "10s")["outcome"], "revoked");
}

#[test]
fn make_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    let name = path.to_str().unwrap();
    let made = sessiond(&["--make-key", name]);
    assert!(made.status.success() && made.stdout.is_empty() && made.stderr.is_empty(), "{made:?}");
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
    let line = fs::read_to_string(&path).unwrap();
    assert!(line.starts_with("securid-store-key-1 ") && line.len() == 85, "not shown");

    let again = sessiond(&["--make-key", name]);
    assert_eq!(again.status.code(), Some(1));
    let told = String::from_utf8(again.stderr).unwrap();
    assert!(told.contains("File exists") && told.contains("no key is ever replaced"), "{told}");
    assert_eq!(fs::read_to_string(&path).unwrap(), line);
    std::os::unix::fs::symlink(folder.path().join("target"), folder.path().join("link")).unwrap();
    for wrong in ["no/such/folder/key", "link", ""] {
        let told = sessiond(&["--make-key", folder.path().join(wrong).to_str().unwrap()]);
        assert_eq!(told.status.code(), Some(1), "{wrong}: {told:?}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing else was made");

    let shown = sessiond(&["--make-key", "-"]);
    assert!(shown.status.success() && shown.stderr.is_empty());
    let other = String::from_utf8(shown.stdout).unwrap();
    assert!(other.starts_with("securid-store-key-1 ") && other.len() == 85 && other != line);
}

#[test]
fn check_config_looks_at_the_key() {
    let house = House::build(plan());
    let config = house.config();
    let check = || sessiond(&["--config", config.to_str().unwrap(), "--check-config"]);
    assert_eq!(check().status.code(), Some(0));
    fs::write(house.key_file(), "another line\n").unwrap();
    let told = check();
    assert_eq!(told.status.code(), Some(78));
    let told = String::from_utf8(told.stderr).unwrap();
    assert!(told.contains(":1: key_file: its key file"), "{told}");
    assert!(told.contains("holds no key"), "{told}");
}
