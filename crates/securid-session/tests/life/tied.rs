//! Sessions for one program, which end when nobody holds them any more.

use std::time::Duration;

use securid_session::{Event, Phase, Reason, Stage};

use crate::house::{House, id, key};

const MINUTE: Duration = Duration::from_secs(60);

/// How long they wait for their holder.
const WITHIN: Duration = Duration::from_secs(15);

/// Shorter than anything that counts.
const INSTANT: Duration = Duration::from_millis(1);

fn held() -> House {
    let mut house = House::new();
    let _ = house.event(house.tied(1));
    let _ = house.event(Event::Hold { id: id(1) });
    house
}

#[test]
fn it_ends_with_its_last_holder_and_not_before() {
    let mut house = held();
    let _ = house.event(Event::Hold { id: id(1) });
    house.wait(60 * MINUTE);
    let _ = house.event(Event::Release { key: key(1, 1) });
    assert_eq!(house.phase(1), Phase::Active);
    let _ = house.event(Event::Release { key: key(1, 1) });
    assert_eq!(house.reason(1), Reason::Abandoned);
}

#[test]
fn a_lifetime_ends_it_all_the_same() {
    let mut house = held();
    house.wait(8 * 60 * MINUTE);
    assert_eq!(house.reason(1), Reason::Lifetime);
}

#[test]
fn one_that_nobody_comes_to_hold_is_abandoned() {
    let mut house = House::new();
    let _ = house.event(house.tied(1));
    house.wait(WITHIN - INSTANT);
    // Use is no hold.
    let _ = house.event(Event::Touch { id: id(1), span: Some(60 * MINUTE) });
    assert_eq!(house.phase(1), Phase::Active);
    house.wait(INSTANT);
    assert_eq!(house.reason(1), Reason::Abandoned);
}

#[test]
fn after_a_crash_its_holder_may_come_back() {
    let mut house = held();
    // However long nothing ran: the holder could not do anything about that.
    house.die(60 * MINUTE);
    house.wait(WITHIN - INSTANT);
    let _ = house.event(Event::Hold { id: id(1) });
    house.wait(60 * MINUTE);
    assert_eq!(house.phase(1), Phase::Active);

    house.die(MINUTE);
    house.wait(WITHIN);
    assert_eq!(house.reason(1), Reason::Abandoned);
}

#[test]
fn a_call_before_its_holder_comes_back_does_not_end_it() {
    let mut house = held();
    house.die(INSTANT);
    let call = |house: &mut House| {
        let _ = house.event(Event::Hold { id: id(1) });
        house.wait(MINUTE);
        let _ = house.event(Event::CallEnded { key: key(1, 1) });
        assert_eq!(house.phase(1), Phase::Active);
    };
    call(&mut house);
    let _ = house.event(Event::Hold { id: id(1) });
    call(&mut house);
    house.wait(60 * MINUTE);
    assert_eq!(house.phase(1), Phase::Active);

    house.die(INSTANT);
    call(&mut house);
    house.wait(WITHIN);
    assert_eq!(house.reason(1), Reason::Abandoned);
}

#[test]
fn a_daemon_that_leaves_and_keeps_keeps_it_too() {
    let mut house = held();
    house.wait(MINUTE);
    let _ = house.event(Event::Stop { keep: true });
    // The connections close as it goes.
    let _ = house.event(Event::Release { key: key(1, 1) });
    assert_eq!(house.phase(1), Phase::Active);
    house.die(INSTANT);
    let _ = house.event(Event::Hold { id: id(1) });
    house.wait(60 * MINUTE);
    assert_eq!(house.phase(1), Phase::Active);
}

#[test]
fn one_that_was_asked_to_end_stays_asked_so() {
    let mut house = held();
    let _ = house.revoke(1);
    let _ = house.event(Event::Release { key: key(1, 1) });
    assert_eq!(house.reason(1), Reason::Request);
    house.reboot();
    assert_eq!(house.reason(1), Reason::Request);
    let record = house.machine.session(&id(1)).unwrap().record().unwrap();
    assert!(record.about.tied && matches!(record.stage, Stage::Revoking(_)));
}

#[test]
fn what_its_store_takes_is_not_its_holder_s_time() {
    let mut house = House::new();
    house.obedient = false;
    let _ = house.event(house.tied(1));
    house.wait(MINUTE);
    house.obedient = true;
    let _ = house.event(Event::Written { key: key(1, 1), done: true });
    house.wait(WITHIN - INSTANT);
    assert_eq!(house.phase(1), Phase::Active);
}
