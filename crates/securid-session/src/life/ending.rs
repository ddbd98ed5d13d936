//! Ending: `ended` on disk, history, secret deleted, record removed.

use crate::session::{EndStep, Session, State};
use crate::{Action, Ending, Moment, Outcome};

impl Session {
    pub(super) fn end(&mut self, ending: Ending, actions: &mut Vec<Action>) {
        self.state = State::Ended { ending, step: EndStep::Record };
        self.in_hand = false;
        self.disk.hurry();
        self.keyring.hurry();
        actions.push(Action::Wipe(self.key.clone()));
    }

    /// A person gives it up. One that is active has to be logged out first; an ended one is dead.
    pub(crate) fn forget(&mut self, now: Moment, actions: &mut Vec<Action>) {
        let pending = match &self.state {
            State::Revoking(revoking) => Some(&revoking.revocation),
            State::Lost { pending, .. } => pending.as_ref().map(|p| &p.revocation),
            _ => return,
        };
        let ending = Ending {
            reason: pending.map(|p| p.reason),
            requested: pending.map_or(now, |p| p.since),
            ended: now,
            attempts: pending.map_or(0, |p| p.attempts),
            outcome: Outcome::Forgotten,
            evidence: "a person's word alone".to_owned(),
        };
        self.end(ending, actions);
    }

    pub(super) fn end_step_done(&mut self, done: EndStep) {
        let State::Ended { step, .. } = &mut self.state else { return };
        if *step != done {
            return;
        }
        match done {
            EndStep::Record => *step = EndStep::Archive,
            EndStep::Archive => *step = EndStep::Delete,
            EndStep::Delete => *step = EndStep::Remove,
            EndStep::Remove => self.state = State::Gone,
        }
    }
}
