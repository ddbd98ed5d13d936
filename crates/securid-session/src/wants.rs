//! What a session wants of disk and keyring: it follows from its state alone, whatever happened
//! before. So after any answer, failure or restart the same few lines find out what comes next.

use std::sync::Arc;

use crate::session::{AddStep, DiskErrand, EndStep, KeyringErrand, Session, StageName, State};
use crate::{Action, Moment, Record, Stage};

impl Session {
    /// Sends the errands that it wants and whose ways are free.
    pub(crate) fn send_errands(&mut self, now: Moment, actions: &mut Vec<Action>) {
        if let Some(errand) = self.disk_errand()
            && self.disk.is_free(now)
            && let Some(action) = self.disk_action(errand)
        {
            self.disk.send(errand);
            if matches!(errand, DiskErrand::Write(StageName::Active | StageName::Revoking)) {
                self.stale = false;
                self.recorded_use = self.last_used;
            }
            actions.push(action);
        }
        if let Some(errand) = self.keyring_errand()
            && self.keyring.is_free(now)
        {
            self.keyring.send(errand);
            let key = self.key.clone();
            actions.push(match errand {
                KeyringErrand::Store => Action::Store(key),
                KeyringErrand::Fetch => Action::Fetch(key),
                KeyringErrand::Delete => Action::Delete(key),
            });
        }
    }

    /// What stands on disk of it once all is written; `None` if nothing is to be written any more.
    /// That it is lost is never written, but that it is to be revoked if it is found again.
    #[must_use]
    pub fn record(&self) -> Option<Record> {
        let stage = match &self.state {
            State::Adding { step: AddStep::Activate, .. } | State::Active => Stage::Active,
            State::Adding { .. } => Stage::Adding,
            State::Revoking(revoking) => Stage::Revoking(revoking.revocation.clone()),
            State::Lost { pending: Some(revoking), .. } => {
                Stage::Revoking(revoking.revocation.clone())
            }
            State::Ended { ending, .. } => Stage::Ended(ending.clone()),
            State::Lost { pending: None, .. } | State::Gone => return None,
        };
        Some(Record {
            key: self.key.clone(),
            about: Arc::clone(&self.about),
            created: self.created,
            last_used: self.last_used,
            in_use_until: self.in_use_until,
            held: self.holds > 0,
            stage,
        })
    }

    /// What it wants of the disk.
    pub(crate) fn disk_errand(&self) -> Option<DiskErrand> {
        match &self.state {
            State::Adding { step: AddStep::Announce, .. } => {
                Some(DiskErrand::Write(StageName::Adding))
            }
            State::Adding { step: AddStep::Activate, .. } => {
                Some(DiskErrand::Write(StageName::Active))
            }
            State::Active if self.stale => Some(DiskErrand::Write(StageName::Active)),
            State::Revoking(_) | State::Lost { pending: Some(_), .. } if self.stale => {
                Some(DiskErrand::Write(StageName::Revoking))
            }
            State::Ended { step: EndStep::Record, .. } => Some(DiskErrand::Write(StageName::Ended)),
            State::Ended { step: EndStep::Archive, .. } => Some(DiskErrand::Archive),
            State::Adding { step: AddStep::Drop, .. }
            | State::Ended { step: EndStep::Remove, .. } => Some(DiskErrand::Remove),
            _ => None,
        }
    }

    /// What it wants of the keyring.
    pub(crate) fn keyring_errand(&self) -> Option<KeyringErrand> {
        match &self.state {
            State::Adding { step: AddStep::Store, .. } => Some(KeyringErrand::Store),
            State::Adding { step: AddStep::Clear, .. }
            | State::Ended { step: EndStep::Delete, .. } => Some(KeyringErrand::Delete),
            State::Adding { step: AddStep::Recover, .. } | State::Lost { seeking: true, .. } => {
                Some(KeyringErrand::Fetch)
            }
            State::Active | State::Revoking(_) if !self.in_hand => Some(KeyringErrand::Fetch),
            _ => None,
        }
    }

    fn disk_action(&self, errand: DiskErrand) -> Option<Action> {
        match errand {
            DiskErrand::Write(_) => self.record().map(Action::Write),
            DiskErrand::Archive => self.record().map(Action::Archive),
            DiskErrand::Remove => Some(Action::Remove(self.key.clone())),
        }
    }
}
