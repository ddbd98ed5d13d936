//! Draining: everything recorded is revoked, and the daemon ends when nothing is left to be.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use securid_ipc::messages::{LogoutItem, LogoutView, SessionState};
use securid_session::{Event, Key, Moment, Phase, Session, SessionId};

use super::stopping::INTENTS_WITHIN;
use super::{Keeper, logouts};
use crate::clock;

/// What a daemon that drains has to mind.
pub(super) struct Draining {
    /// When it ends whatever is left; without it, it never gives up.
    by: Option<Moment>,
    /// What has ended meanwhile; as records are cleared away, nothing else knows of it.
    ended: BTreeMap<SessionId, LogoutItem>,
}

impl Draining {
    pub(super) fn wakes_at(&self) -> Option<Moment> {
        let by = self.by?;
        Some(if by.reached(clock::now()) { by.after(INTENTS_WITHIN) } else { by })
    }
}

impl Keeper {
    /// Revokes all that there is, within this time or for as long as it takes. Other than at a stop,
    /// a keyring that does not answer is waited for: the tokens are nowhere else.
    pub(crate) fn drain(&mut self, within: Option<Duration>) {
        let by = within.map(|within| clock::now().after(within));
        self.draining = Some(Draining { by, ended: BTreeMap::new() });
        self.event(Event::Stop { keep: false });
    }

    /// The same for as long as it takes, because of these faults of the config.
    pub(crate) fn drain_for(&mut self, faults: &[String]) {
        let why = "draining, because the config is bad: what is recorded is revoked, then it ends";
        self.problems.push(why.to_owned());
        self.problems.extend_from_slice(faults);
        self.drain(None);
    }

    /// Notes that a session has ended.
    pub(super) fn note_drained(&mut self, key: &Key) {
        let session = self.machine.session(&key.id).filter(|session| session.ending().is_some());
        let item = session.map(|session| self.known().logout(session));
        if let (Some(draining), Some(item)) = (&mut self.draining, item) {
            draining.ended.insert(key.id.clone(), item);
        }
    }

    /// How far each session came. One that was dead before, and is only not cleared away, is none.
    pub(crate) fn drained(&self) -> LogoutView {
        let ended = self.draining.iter().flat_map(|draining| draining.ended.values().cloned());
        let mut done = self.left();
        done.retain(|item| item.state != SessionState::Ended);
        done.extend(ended);
        logouts::view(done, Vec::new())
    }

    /// What has a record still.
    pub(crate) fn left(&self) -> Vec<LogoutItem> {
        let known = self.known();
        self.machine.sessions().map(|session| known.logout(session)).collect()
    }

    /// Sessions whose records are damaged, and of whose secrets the keyring did not say anything.
    pub(crate) fn undecided(&self) -> BTreeSet<SessionId> {
        self.search.undecided()
    }

    /// Whether nothing can be revoked any more: all is dead and cleared away, or lost. (A secret whose
    /// record is damaged, in a store that does not say whether it is there, is found by a later start.
    /// So is the record of a dead one of which an audit that fails has not heard yet.)
    pub(super) fn is_drained(&self) -> bool {
        let unheard = |session: &Session| session.is_over() && self.errands.audit.is_failing();
        self.draining.is_some()
            && self.machine.at_rest()
            && self.search.is_at_rest()
            && self.machine.sessions().all(|s| s.phase() == Phase::Lost || unheard(s))
    }

    /// Whether its time is over. The next daemon goes on where intents are on disk, so these are
    /// waited for a little longer.
    pub(super) fn drain_is_over(&self) -> bool {
        let over = |at: Moment| at.reached(clock::now());
        self.draining.as_ref().and_then(|draining| draining.by).is_some_and(|by| {
            over(by) && (self.machine.intents_settled() || over(by.after(INTENTS_WITHIN)))
        })
    }
}
