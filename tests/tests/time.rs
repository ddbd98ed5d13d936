//! A boot clock that has gone on while nobody looked, as it does over a suspended night.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::process::Command;
use std::time::Duration;

use securid_simulator::Fault;
use securid_tests::patience::{is_installed, is_root};
use securid_tests::{House, Plan, skipped};
use serde_json::json;

/// The same command in a time namespace whose boot clock is that much ahead.
fn ahead(command: &Command, by: Duration) -> Command {
    let mut later = Command::new("unshare");
    later.args(["-T", "--boottime", &by.as_secs().to_string()]);
    later.arg(command.get_program()).args(command.get_args()).env_clear();
    later.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    later
}

fn is_possible() -> bool {
    if !is_root() {
        skipped("only root can have a time namespace");
    }
    is_root() && is_installed("unshare")
}

#[test]
fn hours_asleep_count() {
    if !is_possible() {
        return;
    }
    let hour = Duration::from_secs(60 * 60);
    let mut house = House::open(Plan { top: "idle_timeout = \"3h\"".into(), ..Plan::default() });
    let (id, token) = house.add_one();
    house.simulator.set_fault(Some(Fault::Down));

    house.kill_9();
    house.start_with(ahead(&house.daemon_command(), 2 * hour));
    assert_eq!(house.token(&id), token, "not yet, and this counts as use");
    let deadline = house.session(&id).unwrap()["idle_deadline"].as_str().unwrap().to_owned();
    // So that the use is on disk: a crash may lose a twentieth of the idle time.
    assert!(house.terminate_keeping().success());
    house.start_with(ahead(&house.daemon_command(), 4 * hour));
    let told = house.session(&id).unwrap();
    assert_eq!(told["state"], "active", "{told}");
    assert!(*told["idle_deadline"].as_str().unwrap() < *deadline, "two hours nearer: {told}");

    house.kill_9();
    house.start_with(ahead(&house.daemon_command(), 6 * hour));
    // The first thing that anybody asks is answered after the limit was enforced.
    assert_eq!(house.refused("session.token", json!({"session": id})).code, -32012);
    assert_eq!(house.session(&id).unwrap()["revocation"]["reason"], "idle");
    house.simulator.set_fault(None);
    assert_eq!(house.eventually_ended(&id)["outcome"], "revoked");
    assert!(!house.fate(&token).alive);
}
