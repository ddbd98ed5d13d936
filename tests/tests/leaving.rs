//! `exit_when_empty`: a daemon with nothing to do ends by itself, and never with anything to do.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::thread::sleep;
use std::time::{Duration, Instant};

use securid_simulator::Fault;
use securid_tests::{Client, House, PATIENCE, Plan, Signal, eventually, timed};
use serde_json::json;

/// The shortest that the config allows.
const SPAN: Duration = Duration::from_secs(1);

fn plan() -> Plan {
    Plan { top: "exit_when_empty = \"1s\"".to_owned(), ..Plan::default() }
}

/// It is there still after a while in which it would have gone.
fn stays(house: &mut House) {
    sleep(SPAN * 2);
    assert!(!house.has_ended(), "it has gone");
}

fn goes(house: &mut House) {
    assert_eq!(house.wait_for_end(PATIENCE).code(), Some(0));
}

#[test]
fn with_nothing_to_do_it_goes_and_takes_its_socket_along() {
    let (mut house, began) = (House::open(plan()), Instant::now());
    goes(&mut house);
    assert!(began.elapsed() >= SPAN - Duration::from_millis(200), "{:?}", began.elapsed());
    assert!(!house.socket().exists());
    assert!(house.log().contains("nothing to do, and nobody connected"), "{}", house.log());
}

#[test]
fn unless_told_to_it_stays() {
    let mut house = House::open(Plan::default());
    stays(&mut house);
}

#[test]
fn sessions_keep_it_and_pending_ones_too() {
    let mut house = House::open(plan());
    let (id, _) = house.add_one();
    stays(&mut house);
    house.simulator.set_fault_for("logoutUser", Some(Fault::Status(503)));
    house.logout(&id, "100ms");
    stays(&mut house);
    house.simulator.set_fault_for("logoutUser", None);
    goes(&mut house);
    assert_eq!(house.simulator.truth().alive(), [""; 0]);
    assert_eq!((house.records().len(), house.secrets()), (0, 0));
}

#[test]
fn what_is_not_cleared_up_keeps_it() {
    let mut house = House::open(plan());
    let (id, token) = house.add_one();
    house.set_keyring_fault(Some("locked"));
    house.logout(&id, "5s");
    assert!(!house.fate(&token).alive);
    stays(&mut house);
    house.set_keyring_fault(None);
    // The keyring is asked again after half a minute at most.
    assert_eq!(house.wait_for_end(Duration::from_secs(60)).code(), Some(0));
    assert_eq!((house.records().len(), house.secrets()), (0, 0));
}

#[test]
fn a_login_under_way_keeps_it() {
    let mut house = House::build(Plan {
        latency: SPAN * 2,
        revocation: vec![("attempt_timeout", "20s")],
        ..plan()
    });
    house.start();
    let id = house.login();
    assert_eq!(house.state(&id), "active");
}

#[test]
fn lost_sessions_do_not_keep_it_and_stay_recorded() {
    let mut house = House::open(plan());
    let (id, _) = house.add_one();
    house.kill_9();
    house.lose(&id);
    house.start();
    eventually("the loss to be seen", || (house.state(&id) == "lost").then_some(()));
    goes(&mut house);
    assert!(house.log().contains("lost=1"), "{}", house.log());
    assert_eq!(house.records().len(), 1);
}

#[test]
fn a_secret_that_may_be_a_live_tokens_keeps_it() {
    let mut house = House::open(plan());
    let (_, token) = house.add_one();
    house.kill_9();
    house.records().iter().for_each(|record| std::fs::remove_file(record).unwrap());
    house.set_keyring_fault(Some("locked"));
    house.start();
    stays(&mut house);
    house.set_keyring_fault(None);
    house.call("daemon.status", json!({}));
    goes(&mut house);
    assert!(!house.fate(&token).alive);
}

#[test]
fn whoever_is_connected_keeps_it_and_is_served() {
    let mut house = House::open(plan());
    let mut client = house.client();
    client.call("session.list", json!({})).unwrap();
    stays(&mut house);
    let token = house.simulator.issue("alice");
    let taken = client.call("session.add", json!({"token": token})).unwrap();
    drop(client);
    stays(&mut house);
    house.logout(taken["id"].as_str().unwrap(), "5s");
    goes(&mut house);
}

/// Clients come and go, at any instant of its leaving: whoever was let in gets an answer, and whoever
/// was not is the next daemon's.
#[test]
fn at_a_socket_that_was_handed_over_nobody_comes_too_late() {
    let mut house = House::build(plan());
    house.bind_socket();
    let mut starts = 0;
    for _ in 0..8 {
        // Around the second after which it leaves.
        sleep(SPAN - Duration::from_millis(15) + Duration::from_millis(fastrand::u64(..30)));
        let mut client = house.client();
        client.send("session.list", json!({}));
        if starts == 0 || house.has_ended() {
            if starts > 0 {
                goes(&mut house);
            }
            house.start_unseen(house.daemon_command(), house.open_log());
            starts += 1;
        }
        answered(&mut house, &mut client, &mut starts);
    }
    assert!(starts > 1, "it never left");
    goes(&mut house);
}

/// It may be ending just now: then the next daemon answers.
fn answered(house: &mut House, client: &mut Client, starts: &mut u32) {
    eventually("an answer", || {
        if let Some(answer) = client.receive_within(Duration::from_millis(200)) {
            assert!(answer["result"]["sessions"].is_array(), "{answer}");
            return Some(());
        }
        if house.has_ended() {
            goes(house);
            house.start_unseen(house.daemon_command(), house.open_log());
            *starts += 1;
        }
        None
    });
}

#[test]
fn a_stop_meanwhile_is_a_stop() {
    let mut house = House::open(plan());
    let _client = house.client();
    sleep(SPAN * 2);
    house.signal(Signal::TERM);
    let (status, took) = timed(|| house.wait_for_end(PATIENCE));
    assert_eq!(status.code(), Some(0));
    assert!(took < Duration::from_secs(3), "{took:?}");
}
