//! Who holds which sessions.

use securid_ipc::server::ConnectionId;
use securid_session::{Denial, Event, Key, Phase, Reason};
use tracing::info;

use super::Keeper;

/// How often one connection may hold: each is remembered until it closes. A program holds the session that it
/// works with, so that a few dozen are generous.
pub(crate) const MOST_HOLDS: usize = 64;

impl Keeper {
    /// Holds the session for this connection until that closes, or says why it cannot be held.
    pub(super) fn hold(&mut self, connection: ConnectionId, key: &Key) -> Option<Denial> {
        let denial = self.event(Event::Hold { id: key.id.clone() });
        if denial.is_none() {
            self.holds.entry(connection).or_default().push(key.clone());
        }
        denial
    }

    /// Whether this connection may hold once more. What is gone meanwhile is held by nobody.
    pub(super) fn may_hold(&mut self, connection: ConnectionId) -> bool {
        let Some(held) = self.holds.get_mut(&connection) else { return true };
        if held.len() >= MOST_HOLDS {
            let machine = &self.machine;
            held.retain(|key| machine.session(&key.id).is_some_and(|session| session.key() == key));
        }
        held.len() < MOST_HOLDS
    }

    /// The connection has closed: what it held it holds no more, and what was tied to it ends.
    pub(super) fn release_all(&mut self, connection: ConnectionId) {
        for key in self.holds.remove(&connection).unwrap_or_default() {
            self.release(key);
        }
    }

    /// A holder has gone, which ends what was tied to it.
    pub(super) fn release(&mut self, key: Key) {
        let active = self.is_active(&key);
        self.event(Event::Release { key: key.clone() });
        if active && !self.is_active(&key) {
            let reason = Reason::Abandoned.name();
            info!(session = %key.id, reason, "its program has gone: it is revoked");
        }
    }

    pub(super) fn is_active(&self, key: &Key) -> bool {
        let session = self.machine.session(&key.id).filter(|session| session.key() == key);
        session.is_some_and(|session| session.phase() == Phase::Active)
    }
}
