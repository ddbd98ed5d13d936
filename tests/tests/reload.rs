//! The config, read anew while the daemon runs: what changes, what does not, and what is refused.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use securid_simulator::Fault;
use securid_tests::{
    House, NotifySocket, PATIENCE, Plan, Signal, SlowDisk, eventually, is_installed, timed,
};
use serde_json::json;

#[test]
fn other_limits_hold_for_sessions_that_run() {
    let house = House::open(Plan::default());
    let (id, token) = house.add_one();
    house.change_config("ca_file", "idle_timeout = \"2h\"\nca_file");
    // By its own name: while it is being replaced there is a draft beside it.
    let path = house.records()[0].clone();
    let record = || fs::read_to_string(&path).unwrap();
    let before = record();
    let view = house.call("daemon.reload", json!({}));
    eventually("the record to be written", || (record() != before).then_some(()));
    assert_eq!(view["instances"], json!(["prod"]));
    assert_eq!((&view["limited"], &view["later"]), (&json!([id]), &json!([])));
    // The record has them too, for a daemon with a bad config.
    assert!(record().contains("7200000"), "{}", record());

    // One that has passed counts at once.
    house.change_config("idle_timeout = \"2h\"", "idle_timeout = \"1s\"");
    sleep(Duration::from_secs(1));
    house.call("daemon.reload", json!({}));
    assert_ne!(house.session(&id).map(|session| session["state"].clone()), Some(json!("active")));
    assert_eq!(house.eventually_ended(&id)["reason"], "idle");
    assert!(!house.fate(&token).alive);
}

#[test]
fn a_start_with_another_config_is_a_reload() {
    let mut house = House::open(Plan::default());
    let (id, token) = house.add_one();
    let deadline = |house: &House| house.session(&id).unwrap()["idle_deadline"].clone();
    let before = deadline(&house);
    house.kill_9();
    house.change_config("ca_file", "idle_timeout = \"2h\"\nca_file");
    house.start();
    assert_ne!(deadline(&house), before);

    // One that has passed counts at once.
    house.kill_9();
    house.change_config("idle_timeout = \"2h\"", "idle_timeout = \"1s\"");
    sleep(Duration::from_secs(1));
    house.start();
    assert_eq!(house.eventually_ended(&id)["reason"], "idle");
    assert!(!house.fate(&token).alive);
}

#[test]
fn an_instance_with_another_url_is_another_server() {
    let house = House::open(Plan::default());
    let (id, token) = house.add_one();
    let before = house.session(&id).unwrap();
    let url = house.simulator.url();
    let other = url.replace("/aveksa", "/elsewhere/aveksa");
    assert_ne!(url, other);
    house.change_config(
        &format!("url = \"{url}\""),
        &format!("url = \"{other}\"\nidle_timeout = \"1s\""),
    );
    assert_eq!(house.call("daemon.reload", json!({}))["limited"], json!([]));
    sleep(Duration::from_millis(1200));
    assert_eq!(house.session(&id).unwrap()["idle_deadline"], before["idle_deadline"]);
    assert_eq!(house.token(&id), token);
    assert_eq!(house.logout(&id, "10s")["outcome"], "revoked");
}

#[test]
fn instances_and_the_rest_count_at_once_and_nothing_is_disturbed() {
    let mut house = House::open(Plan::default());
    let (held, token) = house.add_one();
    let (pending, _) = house.add_one();
    let mut holder = house.client();
    holder.call("session.hold", json!({"session": held})).unwrap();
    house.simulator.set_fault_for("logoutUser", Some(Fault::Status(503)));
    house.logout(&pending, "300ms");

    house.change_config(
        "[instances.prod]",
        "[instances.two]\nurl = \"https://two.test/aveksa\"\n[instances.prod]",
    );
    house.change_config(
        "keyring = \"test\"",
        "keyring = \"test\"\non_exit = \"keep\"\ndefault_instance = \"two\"",
    );
    house.signal(Signal::HUP);
    eventually("the reload", || {
        let status = house.call("daemon.status", json!({}));
        (status["instances"].as_array().unwrap().len() == 2).then_some(())
    });
    assert_eq!(house.session(&held).unwrap()["holds"], 1);
    assert_eq!(house.session(&pending).unwrap()["state"], "revoking");
    house.simulator.set_fault_for("logoutUser", None);
    house.eventually_ended(&pending);
    // `on_exit` is `keep` now.
    assert_eq!(house.terminate().code(), Some(0));
    assert!(house.fate(&token).alive);
}

#[test]
fn a_bad_config_is_refused_with_all_its_faults_and_the_old_one_goes_on() {
    let house = House::open(Plan::default());
    let (id, token) = house.add_one();
    house.change_config(
        "keyring = \"test\"",
        "keyring = \"test\"\ncolour = 1\nidle_timout = \"5m\"",
    );
    let output = house.ctl(&["reload"]);
    assert_eq!(output.status.code(), Some(78), "{output:?}");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    for fault in [":2: colour: ", ":3: idle_timout: "] {
        let fault = format!("{}{fault}", house.config().display());
        assert!(told.contains(&fault), "{told}");
    }
    let refused = house.refused("daemon.reload", json!({}));
    assert_eq!(refused.code, -32014);
    house.signal(Signal::HUP);
    eventually("the log", || house.log().contains("the config was not read anew").then_some(()));
    assert_eq!(house.token(&id), token);
    house.add_one();

    house.change_config("\ncolour = 1\nidle_timout = \"5m\"", "\nkey_file = \"/tmp/no-such-key\"");
    // As long as the daemon is the same one, however often it is asked.
    for _ in 0..2 {
        let output = house.ctl(&["reload"]);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(told.contains("key_file takes effect at the next start"), "{told}");
    }
    house.change_config("\nkey_file = \"/tmp/no-such-key\"", "");
    assert_eq!(house.call("daemon.reload", json!({}))["later"], json!([]));
}

#[test]
fn a_daemon_that_drains_or_stops_reads_no_config() {
    let (mut house, _) = House::left_alone(Plan::default(), 1);
    house.simulator.set_fault_for("logoutUser", Some(Fault::Status(503)));
    house.change_config("keyring = \"test\"", "keyring = \"test\"\ncolour = 1");
    house.start();
    house.change_config("\ncolour = 1", "");
    let refused = house.refused("daemon.reload", json!({}));
    assert_eq!((refused.code, &refused.data["bad_config"]), (-32010, &json!(true)));
    house.signal(Signal::HUP);
    assert!(house.call("daemon.status", json!({}))["problems"].to_string().contains("draining"));
    house.signal(Signal::TERM);
    eventually("the stop", || {
        house.call("daemon.status", json!({}))["problems"]
            .to_string()
            .contains("stopping")
            .then_some(())
    });
    assert_eq!(house.refused("daemon.reload", json!({})).code, -32010);
    house.simulator.set_fault_for("logoutUser", None);
    house.wait_for_end(PATIENCE);
}

/// The disk of the config hangs.
#[test]
fn a_config_that_cannot_be_read_in_time_holds_nobody_up() {
    if !is_installed("strace") {
        return;
    }
    let house = House::open(Plan::default());
    let (id, token) = house.add_one();
    let _slow = SlowDisk::opening(&house.config(), house.pid(), Duration::from_secs(10));
    let mut asking = house.client();
    asking.send("daemon.reload", json!({}));
    let (lent, took) = timed(|| house.token(&id));
    assert_eq!(lent, token);
    assert!(took < Duration::from_secs(2), "{took:?}");
    let answer = asking.receive().unwrap();
    assert_eq!(answer["error"]["code"], -32005, "{answer}");
}

#[test]
fn the_service_manager_is_told() {
    let mut house = House::build(Plan::default());
    let mut manager = NotifySocket::bind(&house);
    house.start_with(manager.daemon_command(&house));
    manager.expect("READY=1");
    for good in [true, false] {
        if !good {
            house.write_config("colour = 1\n");
        }
        house.signal(Signal::HUP);
        let message = manager.expect("RELOADING=1");
        assert!(message[1].starts_with("MONOTONIC_USEC="), "{message:?}");
        manager.expect("READY=1");
    }
}
