//! `--drain`: what is recorded is revoked, by whoever has it, for log-off scripts and package removal.

use std::time::{Duration, Instant};

use securid_portable_tests::{House, code, json_of, stderr};
use securid_simulator::Fault;

/// What a loaded machine, and Wine, may add to a time that was said.
const MARGIN: Duration = Duration::from_secs(15);

#[test]
fn without_a_daemon() {
    let (house, held) = House::left_alone(5);
    let drained = house.run_daemon(&["--drain"]);
    assert_eq!(code(&drained), 0, "{}", stderr(&drained));
    assert!(held.iter().all(|(_, token)| house.fate(token).logout_requests == 1));
    house.assert_all_is_over();
    assert_eq!(code(&house.run_daemon(&["--drain"])), 0, "nothing is left");
}

#[test]
fn with_a_daemon_that_is_asked() {
    let mut house = House::open("");
    let (id, _) = house.add();
    let drained = house.run_daemon(&["--drain", "--json"]);
    assert_eq!(code(&drained), 0, "{}", stderr(&drained));
    assert_eq!(json_of(&drained)["sessions"][0]["outcome"], "revoked");
    assert_eq!(house.eventually_ended(&id)["reason"], "request");
    house.assert_all_is_over();
    assert!(house.daemon().ended().is_none(), "it goes on");
}

#[test]
fn with_a_server_that_is_down() {
    let (mut house, held) = House::left_alone(2);
    house.simulator.set_fault(Some(Fault::Down));
    let began = Instant::now();
    let drained = house.run_daemon(&["--drain", "--timeout", "1s"]);
    assert_eq!(code(&drained), 75, "{}", stderr(&drained));
    assert!(began.elapsed() < Duration::from_secs(4) + MARGIN, "{:?}", began.elapsed());
    assert_eq!((house.records(), house.secrets()), (2, 2));
    house.simulator.set_fault(None);
    house.start();
    for (id, _) in &held {
        assert_eq!(house.eventually_ended(id)["outcome"], "revoked", "the intent was on disk");
    }
    house.assert_all_is_over();
}

#[test]
fn by_a_daemon_whose_config_is_bad() {
    let (house, held) = House::left_alone(2);
    house.write_config("surprise = 1\n");
    let drained = house.run_daemon(&[]);
    assert_eq!(code(&drained), 78, "{}", stderr(&drained));
    assert!(stderr(&drained).contains("surprise"), "{}", stderr(&drained));
    assert!(held.iter().all(|(_, token)| !house.fate(token).alive));
    house.assert_all_is_over();
}
