//! The service manager knows how the daemon is, and nothing that the manager does holds it up.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use securid_simulator::Fault;
use securid_tests::{House, NotifySocket, PATIENCE, Plan, Signal, eventually, timed};
use serde_json::json;

#[test]
fn it_is_told_of_readiness_of_what_is_held_and_of_the_end() {
    let mut house = House::build(Plan::default());
    let mut manager = NotifySocket::bind(&house);
    house.start_with(manager.daemon_command(&house));
    manager.expect("READY=1");
    manager.expect("STATUS=no sessions");
    let held = house.add_many(20);
    manager.expect("STATUS=20 active");
    let so_far = manager.heard.iter().filter(|line| line.starts_with("STATUS=")).count();
    assert!(so_far <= 5, "a line for each change: {:?}", manager.heard);
    house.simulator.set_fault_for("logoutUser", Some(Fault::Status(503)));
    house.call("session.logout", json!({"sessions": [held[0].0]}));
    manager.expect("STATUS=19 active, 1 pending");

    house.signal(Signal::TERM);
    let message = manager.expect("STOPPING=1");
    // The grace of 5 s, and a margin.
    assert_eq!(message, ["STOPPING=1", "EXTEND_TIMEOUT_USEC=10000000"]);
    manager.expect("STATUS=stopping: 20 pending");
    house.simulator.set_fault_for("logoutUser", None);
    assert_eq!(house.wait_for_end(PATIENCE).code(), Some(0));
    while manager.next_within(Duration::ZERO).is_some() {}
    for once in ["READY=1", "STOPPING=1", "EXTEND_TIMEOUT_USEC=10000000"] {
        assert_eq!(manager.heard.iter().filter(|line| *line == once).count(), 1, "{once}");
    }
}

#[test]
fn a_daemon_that_drains_is_ready_too_and_its_stop_has_its_grace() {
    let (mut house, _) = House::left_alone(Plan::default(), 1);
    house.simulator.set_fault_for("logoutUser", Some(Fault::Status(503)));
    house.change_config("keyring = \"test\"", "keyring = \"test\"\ncolour = 1");
    let mut manager = NotifySocket::bind(&house);
    house.start_with(manager.daemon_command(&house));
    manager.expect("READY=1");
    manager.expect("STATUS=draining: 1 pending");
    house.signal(Signal::TERM);
    assert!(manager.expect("STOPPING=1").contains(&"EXTEND_TIMEOUT_USEC=10000000".to_owned()));
    house.simulator.set_fault_for("logoutUser", None);
    assert_eq!(house.wait_for_end(PATIENCE).code(), Some(78));
}

/// It never reads: its queue is full after some messages.
#[test]
fn a_manager_that_hangs_holds_nothing_up() {
    let mut house = House::build(Plan::default());
    let manager = NotifySocket::bind(&house);
    manager.fill_up();
    house.start_with(manager.daemon_command(&house));
    let (_, took) = timed(|| house.add_many(30));
    assert!(took < Duration::from_secs(5), "{took:?}");
    let (status, took) = timed(|| house.terminate());
    assert_eq!(status.code(), Some(0));
    assert!(took < Duration::from_secs(4), "{took:?}");
    assert_eq!(house.simulator.truth().alive(), [""; 0]);
}

#[test]
fn nor_does_one_that_is_not_there() {
    let mut house = House::build(Plan::default());
    let mut command = house.daemon_command();
    command.env("NOTIFY_SOCKET", house.path("nobody"));
    house.start_with(command);
    house.add_one();
    assert_eq!(house.terminate().code(), Some(0));
}

/// The watchdog's patience in these tests. A third of it must be long beside a busy machine's pauses.
const PATIENT_FOR: Duration = Duration::from_secs(3);

fn watched(manager: &NotifySocket, house: &House) -> std::process::Command {
    let mut command = manager.daemon_command(house);
    command.env("WATCHDOG_USEC", PATIENT_FOR.as_micros().to_string());
    command
}

/// How often the watchdog was fed so far, and everything that waits to be read is.
fn meals(manager: &mut NotifySocket) -> usize {
    while manager.next_within(Duration::ZERO).is_some() {}
    manager.heard.iter().filter(|line| *line == "WATCHDOG=1").count()
}

#[test]
fn the_watchdog_is_fed_as_long_as_it_answers_and_no_longer() {
    let top = "idle_timeout = \"4s\"".to_owned();
    let mut house = House::build(Plan { top, ..Plan::default() });
    let mut manager = NotifySocket::bind(&house);
    house.start_with(watched(&manager, &house));
    let (id, token) = house.add_one();
    for _ in 0..3 {
        manager.expect("WATCHDOG=1");
    }
    house.frozen(|| {
        let before = meals(&mut manager);
        sleep(PATIENT_FOR);
        assert_eq!(meals(&mut manager), before, "it is frozen, and fed");
    });
    manager.expect("WATCHDOG=1");
    // Being looked at is no use.
    house.eventually_ended(&id);
    assert!(!house.fate(&token).alive);
    assert!(!house.log().contains("is not fed"), "{}", house.log());
}

#[test]
fn one_that_serves_nobody_at_its_socket_does_not_feed_it() {
    let mut house = House::build(Plan::default());
    let mut manager = NotifySocket::bind(&house);
    house.start_with(watched(&manager, &house));
    manager.expect("WATCHDOG=1");
    // Its timers go on, its clients find nobody.
    fs::rename(house.socket(), house.path("run/elsewhere")).unwrap();
    sleep(PATIENT_FOR / 3);
    let before = meals(&mut manager);
    sleep(PATIENT_FOR);
    assert_eq!(meals(&mut manager), before);
    eventually("a warning", || house.log().contains("its watchdog is not fed").then_some(()));
    fs::rename(house.path("run/elsewhere"), house.socket()).unwrap();
    manager.expect("WATCHDOG=1");
}

#[test]
fn another_process_s_watchdog_is_none_of_its_business() {
    let mut house = House::build(Plan::default());
    let mut manager = NotifySocket::bind(&house);
    let mut command = watched(&manager, &house);
    command.env("WATCHDOG_PID", "1");
    house.start_with(command);
    manager.expect("READY=1");
    sleep(PATIENT_FOR / 2);
    assert_eq!(meals(&mut manager), 0);
}
