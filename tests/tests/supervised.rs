//! The service manager knows how the daemon is, and nothing that the manager does holds it up.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::Duration;

use securid_simulator::Fault;
use securid_tests::{House, NotifySocket, PATIENCE, Plan, Signal, timed};
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
