//! Single lives, told step by step, on a disk and keyring that do as they are asked.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod house;
mod network;
mod schedule;
mod tied;
mod watched;

use std::time::Duration;

use house::{House, dead, id, key, refused, unconfirmed};
use securid_session::{
    Action, Denial, Event, Found, MOST_SESSIONS, Outcome, Phase, Reason, Rejection, Stage,
};

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn acknowledged_after_record_secret_and_record() {
    let mut house = House::new();
    house.obedient = false;
    let actions = house.event(house.adding(1));
    assert!(matches!(&actions[..], [Action::Write(r)] if r.stage == Stage::Adding));
    let actions = house.event(Event::Written { key: key(1, 1), done: true });
    assert_eq!(actions, [Action::Store(key(1, 1))]);
    let actions = house.event(Event::Stored { key: key(1, 1), done: true });
    assert!(matches!(&actions[..], [Action::Write(r)] if r.stage == Stage::Active));
    assert_eq!(house.phase(1), Phase::Adding);
    let actions = house.event(Event::Written { key: key(1, 1), done: true });
    assert_eq!(actions, [Action::Acknowledge(key(1, 1))]);
}

#[test]
fn a_handed_over_token_that_cannot_be_stored_leaves_nothing_behind() {
    let mut house = House::new();
    house.obedient = false;
    let _ = house.event(house.adding(1));
    let _ = house.event(Event::Written { key: key(1, 1), done: true });
    let actions = house.event(Event::Stored { key: key(1, 1), done: false });
    assert_eq!(
        actions,
        [
            Action::Reject(key(1, 1), Rejection::Keyring),
            Action::Wipe(key(1, 1)),
            Action::Delete(key(1, 1))
        ]
    );
    let actions = house.event(Event::Deleted { key: key(1, 1), done: true });
    assert_eq!(actions, [Action::Remove(key(1, 1))]);
    let _ = house.event(Event::Removed { key: key(1, 1), done: true });
    assert!(house.machine.session(&id(1)).is_none());
}

#[test]
fn a_login_that_cannot_be_stored_is_revoked() {
    let mut house = House::new();
    house.obedient = false;
    let _ = house.event(house.login(1));
    let _ = house.event(Event::Written { key: key(1, 1), done: true });
    let actions = house.event(Event::Stored { key: key(1, 1), done: false });
    assert!(matches!(&actions[..], [Action::Reject(..), Action::Write(r)]
        if matches!(&r.stage, Stage::Revoking(v) if v.reason == Reason::Abandoned)));
    let actions = house.event(Event::Written { key: key(1, 1), done: true });
    assert_eq!(actions, [Action::Attempt(key(1, 1))]);
}

#[test]
fn a_span_holds_the_idle_limit_off_and_starts_it_at_its_end() {
    let mut house = House::new();
    house.add(1);
    let actions = house.event(Event::Lend { id: id(1), span: Some(60 * MINUTE) });
    assert_eq!(actions[0], Action::Lend(key(1, 1)));
    assert!(matches!(&actions[1], Action::Write(r) if r.in_use_until.is_some()));
    house.wait(75 * MINUTE - Duration::from_millis(1));
    assert_eq!(house.phase(1), Phase::Active);
    house.wait(Duration::from_millis(1));
    assert_eq!(house.reason(1), Reason::Idle);
}

#[test]
fn holds_hold_off_idle_until_the_last_is_gone() {
    let mut house = House::new();
    house.add(1);
    let _ = house.event(Event::Hold { id: id(1) });
    let _ = house.event(Event::Hold { id: id(1) });
    house.wait(60 * MINUTE);
    let _ = house.event(Event::Release { key: key(1, 1) });
    house.wait(60 * MINUTE);
    assert_eq!(house.phase(1), Phase::Active);
    let _ = house.event(Event::Release { key: key(1, 1) });
    house.wait(15 * MINUTE);
    assert_eq!(house.reason(1), Reason::Idle);
}

#[test]
fn a_held_session_survives_the_daemon_and_an_overdue_one_does_not() {
    let mut house = House::new();
    house.add(1);
    house.add(2);
    let _ = house.event(Event::Hold { id: id(1) });
    house.wait(14 * MINUTE);
    house.die(2 * MINUTE);
    assert_eq!(house.phase(1), Phase::Active);
    assert_eq!(house.reason(2), Reason::Idle);
}

#[test]
fn a_reboot_revokes_what_was_active() {
    let mut house = House::new();
    house.add(1);
    house.reboot();
    assert_eq!(house.reason(1), Reason::Shutdown);
}

#[test]
fn a_slow_answer_about_an_old_token_never_touches_a_newer_one() {
    let mut house = House::new();
    house.add(1);
    let _ = house.revoke(1);
    let _ = house.event(Event::Forget { id: id(1) });
    assert!(!house.exists(1));
    house.add(1);
    let _ = house.event(Event::Answered { key: key(1, 1), verdict: dead() });
    assert_eq!(house.phase(1), Phase::Active);
    let _ = house.event(Event::Abandon { key: key(1, 1) });
    assert_eq!(house.phase(1), Phase::Active);
}

#[test]
fn a_full_disk_does_not_hold_up_a_revocation() {
    let mut house = House::new();
    house.add(1);
    house.disk_works = false;
    let _ = house.revoke(1);
    assert_eq!(house.attempts_out(), 1);
    assert_eq!(house.pending(1).durable, Some(false));
    house.disk_works = true;
    house.wait(Duration::from_secs(30));
    assert_eq!(house.pending(1).durable, Some(true));
}

#[test]
fn only_a_store_that_says_so_makes_a_session_lost() {
    let mut house = House::new();
    house.add(1);
    let _ = house.revoke(1);
    house.keyring_says = Found::Unreachable;
    house.die(Duration::from_secs(1));
    house.wait(60 * MINUTE);
    assert_eq!((house.phase(1), house.attempts_out()), (Phase::Revoking, 0));
    house.keyring_says = Found::Nowhere;
    house.wait(MINUTE);
    assert_eq!(house.phase(1), Phase::Lost);
    let _ = house.revoke(1);
    assert_eq!(house.phase(1), Phase::Lost, "a logout cannot revoke what is lost");
    assert_eq!(house.pending(1).durable, Some(true));

    house.keyring_says = Found::Here;
    let _ = house.event(Event::Retry { id: id(1) });
    assert_eq!((house.phase(1), house.attempts_out()), (Phase::Revoking, 1));
}

#[test]
fn a_keyring_that_is_back_serves_all_who_wait_for_it() {
    let mut house = House::new();
    for slot in 0..3 {
        house.add(slot);
        let _ = house.revoke(slot);
    }
    house.keyring_says = Found::Unreachable;
    house.die(Duration::from_secs(1));
    house.wait(60 * MINUTE);
    house.keyring_says = Found::Here;
    let _ = house.event(Event::Retry { id: id(1) });
    assert_eq!(house.attempts_out(), 3, "one success must wake the others");
}

#[test]
fn stopping_refuses_what_is_handed_over_and_revokes_a_login_in_flight() {
    let mut house = House::new();
    let _ = house.event(Event::Stop { keep: false });
    let actions = house.event(house.adding(1));
    assert_eq!(actions[0], Action::Reject(key(1, 1), Rejection::Stopping));
    let actions = house.event(house.login(2));
    assert!(actions.contains(&Action::Reject(key(2, 2), Rejection::Stopping)), "{actions:?}");
    assert_eq!(house.reason(2), Reason::Shutdown);
    assert!(!house.machine.at_rest());
    house.answer(2, dead());
    assert!(house.machine.at_rest());
}

#[test]
fn stopping_to_keep_leaves_active_sessions_alone() {
    let mut house = House::new();
    house.add(1);
    house.wait(MINUTE);
    let _ = house.event(Event::Stop { keep: true });
    assert!(house.machine.at_rest());
    house.die(MINUTE);
    assert_eq!(house.phase(1), Phase::Active);
}

#[test]
fn forgetting_is_for_what_is_pending_or_lost_alone() {
    let mut house = House::new();
    house.add(1);
    let _ = house.event(Event::Forget { id: id(1) });
    assert_eq!(house.phase(1), Phase::Active);
    let _ = house.revoke(1);
    let _ = house.event(Event::Forget { id: id(1) });
    assert!(!house.exists(1));
    assert_eq!(house.last_ending().outcome, Outcome::Forgotten);
}

#[test]
fn the_history_is_told_why_when_and_by_whose_word() {
    let mut house = House::new();
    house.add(1);
    house.wait(15 * MINUTE);
    house.answer(1, unconfirmed(None));
    house.wait(Duration::from_secs(1));
    house.answer(1, dead());
    let (ending, created) = (house.last_ending(), house.history[0].created);
    assert_eq!(ending.reason, Some(Reason::Idle));
    assert_eq!((ending.attempts, ending.outcome), (2, Outcome::Revoked));
    assert_eq!(ending.requested.since(created), 15 * MINUTE);
    assert!(!house.exists(1));
}

#[test]
fn questions_about_others_are_denied() {
    let mut house = House::new();
    assert_eq!(refused(&mut house, 1), Denial::Unknown);
    house.add(1);
    let _ = house.revoke(1);
    assert_eq!(refused(&mut house, 1), Denial::UnderRevocation);
    house.add(2);
    house.keyring_says = Found::Unreachable;
    house.die(Duration::from_secs(1));
    assert_eq!(refused(&mut house, 2), Denial::Unreachable);
    let touched = house.event(Event::Touch { id: id(2), span: None });
    assert!(!touched.iter().any(|a| matches!(a, Action::Deny(_))), "touching needs no token");
}

#[test]
fn a_login_whose_client_has_gone_is_stored_first_and_then_revoked() {
    let mut house = House::new();
    house.obedient = false;
    let _ = house.event(house.login(1));
    let _ = house.event(Event::Abandon { key: key(1, 1) });
    let _ = house.event(Event::Written { key: key(1, 1), done: true });
    let actions = house.event(Event::Stored { key: key(1, 1), done: true });
    assert!(matches!(&actions[..], [Action::Reject(..), Action::Write(r)]
        if matches!(&r.stage, Stage::Revoking(v) if v.reason == Reason::Abandoned)));
}

#[test]
fn a_logout_of_what_is_lost_counts_once_it_is_found() {
    for stop in [false, true] {
        let mut house = House::new();
        house.add(1);
        house.keyring_says = Found::Nowhere;
        house.die(MINUTE);
        assert_eq!(house.phase(1), Phase::Lost);
        if stop {
            let _ = house.event(Event::Stop { keep: false });
        } else {
            let _ = house.revoke(1);
        }
        assert_eq!(house.pending(1).durable, Some(true), "the intent is written all the same");

        // Found by a person's retry, or by the next daemon.
        house.keyring_says = Found::Here;
        if stop {
            house.die(MINUTE);
        } else {
            let _ = house.event(Event::Retry { id: id(1) });
        }
        assert_eq!((house.phase(1), house.attempts_out()), (Phase::Revoking, 1));
    }
}

#[test]
fn an_intent_that_is_being_written_while_its_secret_is_found_missing_still_counts() {
    for written in [true, false] {
        let mut house = House::new();
        house.add(1);
        house.obedient = false;
        house.die(MINUTE);
        let actions = house.revoke(1);
        assert!(matches!(&actions[..], [Action::Write(_)]), "{actions:?}");
        let _ = house.event(Event::Fetched { key: key(1, 1), found: Found::Nowhere });
        assert_eq!(house.phase(1), Phase::Lost);
        let _ = house.event(Event::Written { key: key(1, 1), done: written });
        assert_eq!(house.pending(1).durable, Some(written));

        house.obedient = true;
        let _ = house.event(Event::Retry { id: id(1) });
        house.wait(Duration::from_secs(30));
        assert_eq!((house.phase(1), house.attempts_out()), (Phase::Revoking, 1));
        assert_eq!(house.pending(1).durable, Some(true));
    }
}

#[test]
fn whoever_wants_a_token_has_the_keyring_asked_at_once() {
    let mut house = House::new();
    house.add(1);
    house.keyring_says = Found::Unreachable;
    house.die(MINUTE);
    house.wait(5 * MINUTE);
    let actions = house.event(Event::Lend { id: id(1), span: None });
    assert!(actions.contains(&Action::Fetch(key(1, 1))), "{actions:?}");
}

#[test]
fn holding_needs_no_token_and_what_was_held_is_not_held_for_ever() {
    let mut house = House::new();
    house.add(1);
    let _ = house.event(Event::Hold { id: id(1) });
    house.keyring_says = Found::Unreachable;
    // Each new daemon would otherwise believe in the holder of the first.
    for _ in 0..3 {
        house.die(10 * MINUTE);
    }
    assert_eq!(house.reason(1), Reason::Idle);

    house.add(2);
    house.die(MINUTE);
    let actions = house.event(Event::Hold { id: id(2) });
    assert!(!actions.iter().any(|a| matches!(a, Action::Deny(_))), "{actions:?}");
    house.wait(60 * MINUTE);
    assert_eq!(house.phase(2), Phase::Active);
}

#[test]
fn stopping_to_keep_waits_for_an_intent_that_is_not_on_disk() {
    let mut house = House::new();
    house.add(1);
    house.disk_works = false;
    let _ = house.revoke(1);
    let _ = house.event(Event::Stop { keep: true });
    assert!(!house.machine.at_rest());
    house.disk_works = true;
    house.wait(Duration::from_secs(30));
    assert!(house.machine.at_rest());
}

#[test]
fn records_that_vanish_are_written_again() {
    let mut house = House::new();
    house.add(1);
    house.add(2);
    let _ = house.revoke(2);
    house.disk_works = false;
    let actions = house.event(Event::RecordsGone);
    let durable = |house: &House| house.pending(2).durable;
    assert_eq!(actions.iter().filter(|a| matches!(a, Action::Write(_))).count(), 2, "{actions:?}");
    assert_eq!(durable(&house), Some(false), "nothing of it is on disk");
    house.disk_works = true;
    house.wait(Duration::from_secs(30));
    assert_eq!(durable(&house), Some(true));
    house.die(Duration::ZERO);
    assert_eq!((house.phase(1), house.phase(2)), (Phase::Active, Phase::Revoking));
}

#[test]
fn a_record_that_vanished_as_soon_as_it_was_written_is_not_durable() {
    let mut house = House::new();
    house.add(1);
    house.obedient = false;
    let _ = house.revoke(1);
    let _ = house.event(Event::RecordsGone);
    let key = key(1, 1);
    let actions = house.event(Event::Written { key: key.clone(), done: true });
    assert_eq!(house.pending(1).durable, None);
    assert!(matches!(actions[..], [Action::Write(_)]), "{actions:?}");
    let _ = house.event(Event::Written { key, done: false });
    assert_eq!(house.pending(1).durable, Some(false));
}

#[test]
fn there_is_room_for_ten_thousand_and_what_was_found_is_taken_up_beyond() {
    let mut house = House::new();
    let most = u64::try_from(MOST_SESSIONS).unwrap();
    for slot in 1..most {
        house.add(slot);
    }
    assert!(house.machine.has_room(0));
    assert!(!house.machine.has_room(1), "a login that is under way will take that place");
    house.add(most);
    assert!(!house.machine.has_room(0));

    // The guarantee goes before the limit.
    let _ = house.event(house.login(most + 1));
    assert_eq!(house.phase(most + 1), Phase::Active);
    let _ = house.event(house.orphan(most + 2));
    assert_eq!(house.phase(most + 2), Phase::Revoking);
    assert_eq!(house.machine.count(Phase::Active), MOST_SESSIONS + 1);

    // One that is dead takes its place up until it is cleared up.
    for slot in [1, 2] {
        house.revoke(slot);
    }
    assert_eq!(house.machine.count(Phase::Revoking), 3);
    for slot in [1, 2, most + 2] {
        assert!(!house.machine.has_room(0));
        house.answer(slot, dead());
    }
    assert!(house.machine.has_room(0));
    assert_eq!(house.machine.count(Phase::Active), MOST_SESSIONS - 1);
    let counted = [Phase::Adding, Phase::Revoking, Phase::Lost, Phase::Ended];
    assert!(counted.iter().all(|phase| house.machine.count(*phase) == 0));
}
