//! A stop revokes everything; what it cannot confirm is kept, and goes out at the next start.

use securid_portable_tests::{House, code, stdout};
use securid_simulator::Fault;

#[test]
fn as_the_system_asks() {
    let mut house = House::open("");
    let held: Vec<_> = (0..10).map(|_| house.add()).collect();
    assert_eq!(house.ask_to_end().code(), Some(0));
    assert!(held.iter().all(|(_, token)| house.fate(token).logout_requests == 1));
    house.assert_all_is_over();
    house.start();
    assert_eq!(house.eventually_ended(&held[0].0)["reason"], "shutdown");
}

#[test]
fn by_the_command_line() {
    let mut house = House::open("");
    let (id, token) = house.add();
    assert_eq!(code(&house.ctl(&["stop", "--keep"])), 0);
    assert_eq!(house.wait_for_end().code(), Some(0));
    assert!(house.fate(&token).alive);
    house.start();
    assert_eq!(stdout(&house.ctl(&["token", &id])), format!("{token}\n"));
    assert_eq!(code(&house.ctl(&["stop", "--revoke"])), 0);
    assert_eq!(house.wait_for_end().code(), Some(0));
    house.assert_all_is_over();
}

#[test]
fn with_a_server_that_is_down() {
    let mut house = House::open("");
    let (id, token) = house.add();
    house.simulator.set_fault(Some(Fault::Down));
    let pending = house.ctl(&["stop"]);
    assert_eq!(code(&pending), 75, "{pending:?}");
    assert_eq!(house.wait_for_end().code(), Some(0));
    assert_eq!((house.records(), house.secrets()), (1, 1));
    house.simulator.set_fault(None);
    house.start();
    assert_eq!(house.eventually_ended(&id)["outcome"], "revoked");
    assert!(!house.fate(&token).alive);
    house.assert_all_is_over();
}

#[test]
fn asked_by_the_system_with_a_server_that_is_down() {
    let mut house = House::open("");
    let (id, _) = house.add();
    house.simulator.set_fault(Some(Fault::Status(503)));
    assert_eq!(house.ask_to_end().code(), Some(0), "what is unconfirmed is kept");
    assert_eq!((house.records(), house.secrets()), (1, 1));
    house.simulator.set_fault(None);
    house.start();
    assert_eq!(house.eventually_ended(&id)["reason"], "shutdown");
    house.assert_all_is_over();
}

#[test]
fn started_and_replaced_by_the_command_line() {
    let house = House::build("");
    let started = house.ctl(&["start"]);
    assert_eq!(code(&started), 0, "{started:?}\n{:?}", house.started_log());
    assert_eq!(code(&house.ctl(&["start"])), 0, "it runs already");
    let (id, token) = house.add();
    let restarted = house.ctl(&["restart"]);
    assert_eq!(code(&restarted), 0, "{restarted:?}\n{:?}", house.started_log());
    assert_eq!(stdout(&house.ctl(&["token", &id])), format!("{token}\n"));
    assert_eq!(code(&house.ctl(&["stop"])), 0);
    assert_eq!(code(&house.ctl(&["list"])), 69);
    house.assert_all_is_over();
}
