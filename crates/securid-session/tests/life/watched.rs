//! What those who watch are told of.

use std::time::Duration;

use securid_session::{Event, Found, Phase};

use crate::house::{House, dead, id, key, unconfirmed};

const SECOND: Duration = Duration::from_secs(1);

/// The sessions that have changed since the last time.
fn changed(house: &mut House) -> Vec<u64> {
    let changed = house.machine.take_changed();
    (1..=9).filter(|n| changed.contains(&id(*n))).collect()
}

#[test]
fn nothing_is_noted_until_somebody_watches_nor_afterwards() {
    let mut house = House::new();
    house.add(1);
    house.machine.watch(true);
    assert_eq!(changed(&mut house), [0; 0]);
    house.add(2);
    assert_eq!(changed(&mut house), [2]);
    house.machine.watch(false);
    house.add(3);
    assert_eq!(changed(&mut house), [0; 0]);
}

#[test]
fn each_thing_that_can_be_seen_is_a_change_and_nothing_else() {
    let mut house = House::new();
    house.add(1);
    house.add(2);
    house.machine.watch(true);
    let _ = house.event(Event::Hold { id: id(1) });
    assert_eq!(changed(&mut house), [1]);
    let _ = house.event(Event::Release { key: key(1, 1) });
    assert_eq!(changed(&mut house), [1]);
    house.wait(SECOND);
    assert_eq!(changed(&mut house), [0; 0], "time alone is no change");
    let _ = house.event(Event::Touch { id: id(2), span: None });
    assert_eq!(changed(&mut house), [2]);

    house.obedient = false;
    let _ = house.revoke(1);
    assert_eq!(changed(&mut house), [1]);
    let _ = house.event(Event::Written { key: key(1, 1), done: true });
    assert_eq!(changed(&mut house), [1], "durable, and an attempt is out");
    house.obedient = true;
    let _ = house.event(Event::Answered { key: key(1, 1), verdict: unconfirmed(None) });
    assert_eq!(changed(&mut house), [1]);
    let _ = house.event(Event::Written { key: key(1, 1), done: true });
    house.wait(60 * SECOND);
    assert_eq!(changed(&mut house), [1], "tried again");
    house.obedient = false;
    let _ = house.event(Event::Answered { key: key(1, 1), verdict: dead() });
    assert_eq!((changed(&mut house), house.phase(1)), (vec![1], Phase::Ended));
    house.obedient = true;
    let _ = house.event(Event::Written { key: key(1, 1), done: true });
    assert!(!house.exists(1));
    assert_eq!(changed(&mut house), [0; 0], "it ended once");
}

#[test]
fn a_thousand_uses_within_a_second_are_one_change() {
    let mut house = House::new();
    house.add(1);
    house.machine.watch(true);
    let mut changes = 0;
    for _ in 0..1000 {
        house.wait(Duration::from_millis(1));
        let _ = house.event(Event::Lend { id: id(1), span: None });
        changes += changed(&mut house).len();
    }
    assert!((1..=2).contains(&changes), "{changes}");
}

#[test]
fn what_is_lost_and_found_again_is_seen() {
    let mut house = House::new();
    house.add(1);
    house.obedient = false;
    house.die(SECOND);
    house.machine.watch(true);
    let _ = house.event(Event::Fetched { key: key(1, 1), found: Found::Nowhere });
    assert_eq!((changed(&mut house), house.phase(1)), (vec![1], Phase::Lost));
    let _ = house.event(Event::Retry { id: id(1) });
    let _ = house.event(Event::Fetched { key: key(1, 1), found: Found::Here });
    assert_eq!((changed(&mut house), house.phase(1)), (vec![1], Phase::Active));
}
