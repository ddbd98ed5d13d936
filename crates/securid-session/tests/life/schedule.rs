//! When things happen: a long outage, and clocks that people set.

use std::time::Duration;

use securid_session::Phase;

use crate::MINUTE;
use crate::house::{House, unconfirmed};

/// What a server that is down for a day costs with the default schedule: half the ceiling is waited
/// on average, so some 576 attempts; 700 are more than eight standard deviations away.
#[test]
fn a_day_without_the_server_costs_at_most_700_attempts_a_session() {
    let mut house = House::new();
    for slot in 0..4 {
        house.add(slot);
        let _ = house.revoke(slot);
    }
    let mut attempts = [0_u32; 4];
    let mut left = 24 * 60 * MINUTE;
    let step = Duration::from_secs(1);
    while left > Duration::ZERO {
        for slot in 0..4 {
            if house.is_attempted(slot) {
                attempts[slot as usize] += 1;
                house.answer(slot, unconfirmed(None));
            }
        }
        house.wait(step);
        left -= step;
    }
    println!("attempts in a day: {attempts:?}");
    assert!(attempts.iter().all(|&n| n <= 700), "{attempts:?}");
    assert!(
        attempts.iter().all(|&n| n >= 450),
        "it is tried at least every 5 minutes: {attempts:?}"
    );
}

/// The wall clock is for people: set forward or back by hours, it changes no deadline.
#[test]
fn the_wall_clock_decides_nothing() {
    let ends = |jump: i64| {
        let mut house = House::new();
        house.add(1);
        house.wait(5 * MINUTE);
        house.set_wall_clock(jump);
        let mut minutes = 5;
        while house.phase(1) == Phase::Active {
            house.wait(MINUTE);
            minutes += 1;
        }
        house.set_wall_clock(-3 * jump);
        house.answer(1, unconfirmed(Some(10 * MINUTE)));
        let mut waited = 0;
        while house.attempts_out() == 0 {
            house.wait(Duration::from_millis(10));
            waited += 1;
        }
        (minutes, waited)
    };
    let hours = 60 * 60 * 1000;
    let undisturbed = ends(0);
    assert_eq!(undisturbed.0, 15);
    for jump in [5 * hours, -5 * hours, 24 * 365 * hours] {
        assert_eq!(ends(jump), undisturbed, "{jump}");
    }
}
