//! What disk and keyring answer, and what follows from it.

use crate::session::{
    AddStep, DiskErrand, EndStep, Intent, KeyringErrand, Revoking, Session, StageName, State,
};
use crate::{Action, Found, Moment, Reason, Rejection};

impl Session {
    /// The record's write was answered. It may tell of an earlier stage than the present one.
    pub(crate) fn written(&mut self, now: Moment, done: bool, actions: &mut Vec<Action>) {
        let Some(DiskErrand::Write(name)) = self.disk.answered(now, done) else { return };
        match (name, &mut self.state) {
            (StageName::Adding, State::Adding { step: step @ AddStep::Announce, .. })
            | (StageName::Active, State::Adding { step: step @ AddStep::Activate, .. }) => {
                let step = *step;
                if done {
                    self.add_step_done(now, step, actions);
                } else {
                    self.add_failed(now, step, Rejection::Disk, actions);
                }
            }
            // A lost one's is written once it is found again.
            (StageName::Active, State::Active | State::Lost { pending: None, .. }) => {
                self.stale |= !done;
            }
            (
                StageName::Revoking,
                State::Revoking(revoking) | State::Lost { pending: Some(revoking), .. },
            ) => {
                if done && self.stale && revoking.intent == Intent::Unwritten {
                    // The record was there, and is gone already: it is written once more.
                } else if done {
                    revoking.intent = Intent::Durable;
                } else {
                    self.stale = true;
                    if revoking.intent == Intent::Unwritten {
                        revoking.intent = Intent::Unwritable;
                    }
                }
            }
            (StageName::Ended, State::Ended { .. }) if done => self.end_step_done(EndStep::Record),
            (StageName::Ended, State::Ended { .. }) => {}
            // The stage has changed meanwhile; what stands for it now need not wait.
            _ => self.disk.hurry(),
        }
    }

    /// Its record is not on disk any more. What is being added or cleared up needs no record of
    /// before: the next step writes its own, or none. (One that is active in a moment was written
    /// before, perhaps.)
    pub(crate) fn record_gone(&mut self) {
        match &mut self.state {
            State::Active | State::Adding { step: AddStep::Activate, .. } => self.stale = true,
            State::Revoking(revoking) | State::Lost { pending: Some(revoking), .. } => {
                self.stale = true;
                if revoking.intent == Intent::Durable {
                    revoking.intent = Intent::Unwritable;
                }
            }
            _ => return,
        }
        self.disk.hurry();
    }

    pub(crate) fn archived(&mut self, now: Moment, done: bool) {
        if self.disk.answered(now, done) == Some(DiskErrand::Archive) && done {
            self.end_step_done(EndStep::Archive);
        }
    }

    pub(crate) fn removed(&mut self, now: Moment, done: bool, actions: &mut Vec<Action>) {
        if self.disk.answered(now, done) == Some(DiskErrand::Remove) && done {
            self.add_step_done(now, AddStep::Drop, actions);
            self.end_step_done(EndStep::Remove);
        }
    }

    pub(crate) fn stored(&mut self, now: Moment, done: bool, actions: &mut Vec<Action>) {
        if self.keyring.answered(now, done) != Some(KeyringErrand::Store) {
            return;
        }
        if done {
            self.add_step_done(now, AddStep::Store, actions);
        } else {
            self.add_failed(now, AddStep::Store, Rejection::Keyring, actions);
        }
    }

    pub(crate) fn deleted(&mut self, now: Moment, done: bool, actions: &mut Vec<Action>) {
        if self.keyring.answered(now, done) == Some(KeyringErrand::Delete) && done {
            self.add_step_done(now, AddStep::Clear, actions);
            self.end_step_done(EndStep::Delete);
        }
    }

    pub(crate) fn fetched(&mut self, now: Moment, found: Found, actions: &mut Vec<Action>) {
        let told = found != Found::Unreachable;
        if self.keyring.answered(now, told) != Some(KeyringErrand::Fetch) || !told {
            return;
        }
        self.in_hand = found == Found::Here;
        match &mut self.state {
            State::Adding { step: AddStep::Recover, .. } if self.in_hand => {
                self.revoke(now, Reason::Abandoned);
            }
            // It never got as far as the keyring: nobody was told of it.
            State::Adding { step: step @ AddStep::Recover, .. } => *step = AddStep::Drop,
            State::Active if !self.in_hand => {
                self.holds = 0;
                self.state = State::Lost { pending: None, seeking: false };
            }
            State::Revoking(revoking) if !self.in_hand => {
                self.state = State::Lost { pending: Some(revoking.clone()), seeking: false };
            }
            State::Lost { pending, .. } if self.in_hand => {
                self.state = match pending.take() {
                    Some(revoking) => {
                        State::Revoking(Revoking { next_attempt: now, failures: 0, ..revoking })
                    }
                    None => State::Active,
                };
            }
            State::Lost { seeking, .. } => *seeking = false,
            State::Active | State::Revoking(_) => {}
            // Dead meanwhile.
            State::Adding { .. } | State::Ended { .. } | State::Gone => {
                self.in_hand = false;
                actions.push(Action::Wipe(self.key.clone()));
            }
        }
    }
}
