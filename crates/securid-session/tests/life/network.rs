//! Networks that come and go: what could not be reached is tried soon after a change, and a network that
//! changes all the time makes no storm.

use std::time::Duration;

use securid_session::{Event, Phase};

use crate::MINUTE;
use crate::house::{House, dead, unconfirmed, unreached};

const SECOND: Duration = Duration::from_secs(1);

/// Over how long attempts are spread after a change.
const SPREAD: Duration = Duration::from_secs(10);

/// A session that has failed so often that its schedule is at its ceiling; it waits for at least another
/// minute by that.
fn far_off() -> House {
    let mut house = House::new();
    house.add(1);
    let _ = house.revoke(1);
    fail(&mut house, 20);
    while house.wait_of(1) < MINUTE {
        fail(&mut house, 1);
    }
    house
}

/// So many attempts go nowhere.
fn fail(house: &mut House, times: u32) {
    for _ in 0..times {
        house.wait(5 * MINUTE);
        house.answer(1, unreached());
    }
}

#[test]
fn what_could_not_be_reached_is_tried_soon_after_a_change() {
    let mut house = far_off();
    let _ = house.event(Event::NetworkChanged);
    house.wait(SPREAD);
    assert_eq!(house.attempts_out(), 1);
    house.answer(1, dead());
    assert!(!house.exists(1));
}

#[test]
fn what_was_answered_waits_on() {
    for verdict in [unconfirmed(None), unconfirmed(Some(30 * MINUTE))] {
        let mut house = far_off();
        house.wait(5 * MINUTE);
        house.answer(1, verdict);
        let wait = house.wait_of(1);
        let _ = house.event(Event::NetworkChanged);
        assert_eq!(house.wait_of(1), wait);
    }
}

/// An attempt takes some seconds to fail; the way may be there before it has.
#[test]
fn a_change_during_an_attempt_counts_after_it() {
    let mut house = far_off();
    house.wait(5 * MINUTE);
    assert_eq!(house.attempts_out(), 1);
    let _ = house.event(Event::NetworkChanged);
    house.wait(4 * SECOND);
    house.answer(1, unreached());
    house.wait(SPREAD);
    assert_eq!(house.attempts_out(), 1);
    // Once: the next one has seen the new network.
    house.answer(1, unreached());
    assert!(house.wait_of(1) > SPREAD, "{:?}", house.wait_of(1));
}

#[test]
fn it_starts_no_second_attempt_and_ends_nothing() {
    let mut house = far_off();
    house.add(2);
    house.wait(5 * MINUTE);
    let _ = house.event(Event::NetworkChanged);
    assert_eq!(house.attempts_out(), 1);
    assert_eq!(house.phase(2), Phase::Active);
}

#[test]
fn a_network_that_flaps_for_an_hour_costs_two_attempts_a_minute() {
    let mut house = far_off();
    let mut attempts = 0;
    for _ in 0..3600 {
        let _ = house.event(Event::NetworkChanged);
        house.wait(SECOND);
        if house.attempts_out() > 0 {
            attempts += 1;
            house.answer(1, unreached());
        }
    }
    // By its schedule alone some 24.
    assert!((110..=170).contains(&attempts), "{attempts}");
}

/// It is put off, and not lost: whatever came before, the way that is there in the end is found.
#[test]
fn the_last_change_of_many_counts_within_half_a_minute() {
    let mut house = far_off();
    for _ in 0..30 {
        let _ = house.event(Event::NetworkChanged);
        house.wait(SECOND);
        if house.attempts_out() > 0 {
            house.answer(1, unreached());
        }
    }
    house.wait(MINUTE / 2 + SPREAD);
    assert_eq!(house.attempts_out(), 1);
}

#[test]
fn sessions_are_tried_at_different_moments() {
    let mut house = House::new();
    for slot in 0..100 {
        house.add(slot);
        let _ = house.revoke(slot);
    }
    for _ in 0..10 {
        while house.attempts_out() > 0 {
            let slot = house.an_attempt(|_| true);
            house.answer(slot, unreached());
        }
        house.wait(5 * MINUTE);
    }
    while house.attempts_out() > 0 {
        let slot = house.an_attempt(|_| true);
        house.answer(slot, unreached());
    }
    let _ = house.event(Event::NetworkChanged);
    let mut most = 0;
    for _ in 0..SPREAD.as_secs() {
        let mut within = 0;
        for _ in 0..10 {
            house.wait(SECOND / 10);
            while house.attempts_out() > 0 {
                let slot = house.an_attempt(|_| true);
                house.answer(slot, dead());
                within += 1;
            }
        }
        most = most.max(within);
    }
    assert!((0..100).all(|slot| !house.exists(slot)), "all within {SPREAD:?}");
    assert!(most <= 22, "{most} within a second");
}
