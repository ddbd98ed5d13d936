//! When things happen: limits, attempts and their waits, a long outage, and clocks that people set.

use std::time::Duration;

use securid_session::{Action, Denial, Event, Limits, Phase, Policy, Reason};

use crate::MINUTE;
use crate::house::{House, dead, id, unconfirmed};

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

#[test]
fn idle_and_lifetime_end_a_session_on_the_millisecond() {
    let mut house = House::new();
    house.add(1);
    house.wait(15 * MINUTE - Duration::from_millis(1));
    assert_eq!(house.phase(1), Phase::Active);
    let _ = house.event(Event::Touch { id: id(1), span: None });
    house.wait(15 * MINUTE);
    assert_eq!(house.reason(1), Reason::Idle);

    house.add(2);
    let _ = house.event(Event::Hold { id: id(2) });
    house.wait(8 * 60 * MINUTE - Duration::from_millis(1));
    assert_eq!(house.phase(2), Phase::Active);
    house.wait(Duration::from_millis(1));
    assert_eq!(house.reason(2), Reason::Lifetime);
}

#[test]
fn uses_are_written_at_most_every_twentieth_of_the_idle_timeout() {
    let mut house = House::new();
    house.add(1);
    let before = house.writes;
    for _ in 0..900 {
        house.wait(Duration::from_secs(1));
        let _ = house.event(Event::Touch { id: id(1), span: None });
    }
    assert_eq!(house.writes - before, 20);
}

#[test]
fn the_limit_is_enforced_before_the_question_is_answered() {
    let mut house = House::new();
    house.add(1);
    house.sleep(15 * MINUTE);
    let actions = house.event(Event::Lend { id: id(1), span: None });
    assert!(actions.contains(&Action::Deny(Denial::UnderRevocation)), "{actions:?}");
}

#[test]
fn retry_after_is_honoured_up_to_an_hour_and_a_person_overrides_it() {
    let mut house = House::new();
    house.add(1);
    let _ = house.revoke(1);
    house.answer(1, unconfirmed(Some(24 * 60 * MINUTE)));
    house.wait(60 * MINUTE - Duration::from_millis(1));
    assert_eq!(house.attempts_out(), 0);
    house.wait(5 * MINUTE + Duration::from_millis(1));
    assert_eq!(house.attempts_out(), 1);

    house.answer(1, unconfirmed(Some(60 * MINUTE)));
    assert_eq!(house.attempts_out(), 0);
    let _ = house.event(Event::Retry { id: id(1) });
    assert_eq!(house.attempts_out(), 1);
}

/// A server that is maintained sends everybody away with one date, a thousand daemons in one second.
#[test]
fn those_whom_the_server_sent_away_together_come_back_apart() {
    const SPAN: Duration = Duration::from_secs(120);
    let mut seconds = [0; 240];
    for slot in 0..1_000 {
        let mut house = House::new();
        house.add(slot);
        let _ = house.revoke(slot);
        house.answer(slot, unconfirmed(Some(SPAN)));
        let mut waited = 0;
        while house.attempts_out() == 0 {
            house.wait(Duration::from_secs(1));
            waited += 1;
        }
        assert!(waited >= SPAN.as_secs(), "too soon");
        seconds[usize::try_from(waited).unwrap() - 1] += 1;
    }
    let fullest = seconds.iter().max();
    assert!(fullest <= Some(&50), "{fullest:?} of a thousand come in one second");
}

/// "In a second", a server says that has too much to do, and says it again to whoever comes.
#[test]
fn a_server_that_always_asks_for_a_moment_is_asked_ever_more_seldom() {
    let mut house = House::new();
    house.add(1);
    let _ = house.revoke(1);
    let mut attempts = 0;
    for _ in 0..3_600 {
        if house.attempts_out() > 0 {
            attempts += 1;
            house.answer(1, unconfirmed(Some(Duration::from_secs(1))));
        }
        house.wait(Duration::from_secs(1));
    }
    assert!((12..=60).contains(&attempts), "{attempts} attempts in an hour");
}

#[test]
fn at_most_so_many_attempts_per_origin_and_a_dead_one_delays_no_other() {
    let mut house = House::new();
    for slot in 0..20 {
        house.add(slot);
    }
    for slot in 0..20 {
        let _ = house.revoke(slot);
    }
    // Even slots at one origin, odd ones at another; four at once to each.
    assert_eq!(house.attempts_out(), 8);
    for _ in 0..10 {
        let odd = house.an_attempt(|slot| slot % 2 == 1);
        house.answer(odd, dead());
    }
    assert_eq!(house.attempts_out(), 4);
    assert!((0..20).all(|slot| house.exists(slot) == (slot % 2 == 0)));
}

#[test]
fn stopping_tries_what_waits_at_once_but_not_against_the_servers_wish() {
    let mut house = House::new();
    for slot in 0..2 {
        house.add(slot);
        let _ = house.revoke(slot);
    }
    house.answer(0, unconfirmed(None));
    house.answer(1, unconfirmed(Some(30 * MINUTE)));
    let _ = house.event(Event::Stop { keep: false });
    assert_eq!(house.an_attempt(|_| true), 0);
    assert_eq!(house.attempts_out(), 1);
}

/// What a busy server wished for is over in a second; the wait that follows it is our own.
#[test]
fn stopping_waits_for_the_servers_wish_alone() {
    let mut house = House::new();
    house.add(1);
    let _ = house.revoke(1);
    let busy = || unconfirmed(Some(Duration::from_secs(1)));
    for _ in 0..20 {
        house.answer(1, busy());
        house.wait(6 * MINUTE);
    }
    house.answer(1, busy());
    assert!(house.wait_of(1) > Duration::from_secs(10), "{:?}", house.wait_of(1));
    let _ = house.event(Event::Stop { keep: false });
    house.wait(Duration::from_millis(999));
    assert_eq!(house.attempts_out(), 0);
    house.wait(Duration::from_millis(1));
    assert_eq!(house.attempts_out(), 1);
}

#[test]
fn the_schedule_starts_anew_when_the_daemon_stops() {
    let mut house = House::new();
    house.add(1);
    let _ = house.revoke(1);
    for _ in 0..20 {
        house.answer(1, unconfirmed(None));
        house.wait(5 * MINUTE);
    }
    house.answer(1, unconfirmed(None));
    let _ = house.event(Event::Stop { keep: false });
    house.answer(1, unconfirmed(None));
    house.wait(Duration::from_secs(1));
    assert_eq!(house.attempts_out(), 1);
}

/// The config was read anew. One limit that has passed already counts at once.
#[test]
fn other_limits_hold_for_sessions_that_run_and_are_written_down() {
    let mut house = House::new();
    for slot in 1..=4 {
        house.add(slot);
    }
    house.wait(5 * MINUTE);
    let limit = |idle: Option<Duration>, lifetime: Option<Duration>| Limits { idle, lifetime };
    let set = |house: &mut House, slot: u64, limits: Limits| {
        let before = house.writes;
        let _ = house.event(Event::Limits { id: id(slot), limits });
        house.writes - before
    };
    assert_eq!(set(&mut house, 1, limit(Some(3 * MINUTE), None)), 1, "its intent");
    assert_eq!(house.phase(1), Phase::Revoking);
    assert_eq!(set(&mut house, 2, limit(None, Some(6 * MINUTE))), 1, "its limits");
    assert_eq!(set(&mut house, 2, limit(None, Some(6 * MINUTE))), 0, "nothing new");
    assert_eq!(set(&mut house, 3, limit(None, None)), 1);
    let _ = house.revoke(4);
    assert_eq!(set(&mut house, 4, limit(None, None)), 0, "it is to die anyway");
    // The next daemon has them from the records.
    house.die(Duration::from_secs(1));
    house.wait(MINUTE);
    assert_eq!((house.phase(2), house.phase(3)), (Phase::Revoking, Phase::Active));
    house.wait(24 * 60 * MINUTE);
    assert_eq!(house.phase(3), Phase::Active);
}

/// More attempts at once are made at once; fewer once those that are out have come back.
#[test]
fn another_policy_counts_from_the_next_attempt_on() {
    const SAME_SERVER: [u64; 4] = [2, 4, 6, 8];
    let mut house = House::new();
    for slot in SAME_SERVER {
        house.add(slot);
    }
    let policy = |concurrency| {
        let (retry_initial, retry_max) = (Duration::from_secs(1), Duration::from_secs(300));
        Event::Policy(Policy { retry_initial, retry_max, concurrency })
    };
    let _ = house.event(policy(1));
    for slot in SAME_SERVER {
        let _ = house.revoke(slot);
    }
    assert_eq!(house.attempts_out(), 1);
    let _ = house.event(policy(3));
    assert_eq!(house.attempts_out(), 3);
    let _ = house.event(policy(1));
    assert_eq!(house.attempts_out(), 3);
    let first = house.an_attempt(|_| true);
    house.answer(first, dead());
    assert_eq!(house.attempts_out(), 2, "there are more out than may be");
}
