//! What ends a session by itself, and what holds that off.

use std::thread;
use std::time::Duration;

use securid_portable_tests::{House, eventually};
use serde_json::json;

/// How long a token lived, by the server's clock.
fn life(house: &House, token: &str) -> Duration {
    let fate = house.fate(token);
    Duration::from_millis(fate.ended_at.expect("it is dead") - fate.issued_at)
}

#[test]
fn idle_unless_it_is_used_or_held() {
    let house = House::open("idle_timeout = \"1500ms\"");
    let ((idle, token), (used, lent), (held, kept)) = (house.add(), house.add(), house.add());
    let mut holder = house.client();
    holder.call("session.hold", json!({"session": held})).unwrap();
    for _ in 0..8 {
        thread::sleep(Duration::from_millis(300));
        assert_eq!(house.call("session.token", json!({"session": used}))["token"], json!(lent));
        // To look at the others is no use of them.
        assert!(!house.sessions().is_empty());
    }
    assert_eq!(house.eventually_ended(&idle)["reason"], "idle");
    assert!(life(&house, &token) >= Duration::from_millis(1500));
    assert!(house.fate(&kept).alive && house.fate(&lent).alive);
    drop(holder);
    assert_eq!(house.eventually_ended(&held)["reason"], "idle");
    assert_eq!(house.eventually_ended(&used)["outcome"], "revoked");
    house.assert_all_is_over();
}

#[test]
fn lifetime_despite_a_hold() {
    let house = House::open("idle_timeout = \"never\"\nmax_lifetime = \"1500ms\"");
    let (id, token) = house.add();
    let mut holder = house.client();
    holder.call("session.hold", json!({"session": id})).unwrap();
    assert_eq!(house.eventually_ended(&id)["reason"], "lifetime");
    assert!(life(&house, &token) >= Duration::from_millis(1500));
    house.assert_all_is_over();
}

#[test]
fn limits_that_passed_while_nothing_ran() {
    let mut house = House::open("idle_timeout = \"1s\"");
    let (id, token) = house.add();
    house.kill();
    thread::sleep(Duration::from_millis(1500));
    assert!(house.fate(&token).alive);
    house.start();
    let lent = house.client().call("session.token", json!({"session": id}));
    assert!(lent.is_err(), "its time was over before the first answer");
    eventually("its end", || (!house.fate(&token).alive).then_some(()));
    assert_eq!(house.eventually_ended(&id)["reason"], "idle");
    house.assert_all_is_over();
}
