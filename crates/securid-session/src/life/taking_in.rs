//! Taking in: `adding` on disk, secret in the keyring, `active` on disk, acknowledged.

use crate::session::{AddStep, Session, State};
use crate::{Action, Moment, Reason, Rejection, Source};

impl Session {
    /// The step that was waited for is done.
    pub(super) fn add_step_done(&mut self, now: Moment, done: AddStep, actions: &mut Vec<Action>) {
        let State::Adding { source, step, doomed } = &mut self.state else { return };
        if *step != done {
            return;
        }
        match (done, *source, *doomed) {
            // Even one that is to die at once is stored first, so that it outlives a crash.
            (AddStep::Announce, Source::Login, _) | (AddStep::Announce, _, None) => {
                *step = AddStep::Store;
            }
            (AddStep::Store, _, None) => *step = AddStep::Activate,
            (AddStep::Activate, _, None) => {
                self.state = State::Active;
                self.unheld_since = now;
                actions.push(Action::Acknowledge(self.key.clone()));
            }
            (AddStep::Clear, ..) => *step = AddStep::Drop,
            (AddStep::Drop, ..) => self.state = State::Gone,
            _ => self.add_failed(now, done, Rejection::Stopping, actions),
        }
    }

    /// The step failed, or the session is doomed. Our own login's token is revoked, for nobody
    /// else knows it; a token that was handed over stays with whoever brought it.
    pub(super) fn add_failed(
        &mut self,
        now: Moment,
        at: AddStep,
        why: Rejection,
        actions: &mut Vec<Action>,
    ) {
        let State::Adding { source, step, doomed } = &mut self.state else { return };
        match at {
            AddStep::Announce | AddStep::Store | AddStep::Activate => {}
            // Asked again when its lane allows.
            AddStep::Recover | AddStep::Clear | AddStep::Drop => return,
        }
        actions.push(Action::Reject(self.key.clone(), why));
        match source {
            Source::Login => {
                let reason = doomed.unwrap_or(Reason::Abandoned);
                self.revoke(now, reason);
            }
            Source::Handover => {
                *step = if at == AddStep::Announce { AddStep::Drop } else { AddStep::Clear };
                self.in_hand = false;
                self.disk.hurry();
                self.keyring.hurry();
                actions.push(Action::Wipe(self.key.clone()));
            }
        }
    }

    /// Nobody will be told of it: it is to die as soon as it is safe.
    pub(crate) fn doom(&mut self, reason: Reason) {
        if let State::Adding { doomed: doomed @ None, .. } = &mut self.state {
            *doomed = Some(reason);
        }
    }
}
