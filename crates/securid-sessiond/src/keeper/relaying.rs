//! Tokens for calls: the session is in use as long as the call goes on, and the token stays in the daemon.

use std::time::Duration;

use securid_api::Token;
use securid_session::{Denial, Event, Key, Origin, Phase, Reason};
use tracing::info;

use super::{Answer, Deferred, Inbox, Keeper, Message, Waiting};
use crate::trouble;

/// What a call needs.
pub(crate) struct Lent {
    pub(crate) token: Token,
    pub(crate) instance: String,
    /// Settings for the session's server, its own first.
    pub(crate) ways: Vec<Origin>,
    /// How long connecting may take.
    pub(crate) within: Duration,
    pub(crate) in_use: InUse,
}

/// A session is in use until this is dropped, wherever it gets lost.
pub(crate) struct InUse {
    pub(crate) key: Key,
    inbox: Inbox,
}

impl Drop for InUse {
    fn drop(&mut self) {
        let _ = self.inbox.send(Message::CallEnded(self.key.clone()));
    }
}

impl Keeper {
    /// Lends a session's token to a call, and holds the session for it. Where the secret has still to be read from
    /// the keyring, `may_wait` for that: it has a deadline of its own.
    pub(super) fn lend_to_call(
        &mut self,
        wanted: Option<String>,
        reply: Answer<Lent>,
        may_wait: bool,
    ) {
        // A limit that has passed is enforced before anything is said.
        self.event(Event::Tick);
        let (key, readable) = match self.one(wanted.as_deref()) {
            Ok(session) => {
                (session.key().clone(), session.phase() != Phase::Active || session.in_hand())
            }
            Err(error) => {
                let _ = reply.send(Err(error));
                return;
            }
        };
        let id = key.id.clone();
        if !readable && may_wait {
            let waiting = Waiting::ToCall { session: wanted, reply };
            self.deferred.push(Deferred { key, waiting });
            self.event(Event::Read { id });
            return;
        }
        let denial =
            if readable { self.event(Event::Hold { id }) } else { Some(Denial::Unreachable) };
        let lent = match (denial, self.about(&key), self.tokens.get(&key)) {
            (None, Some(about), Some(token)) => Ok(Lent {
                token: token.clone(),
                instance: about.instance.clone(),
                ways: self.ways_to(&about.origin),
                within: self.config.now().revocation.attempt_timeout,
                in_use: InUse { key, inbox: self.errands.inbox.clone() },
            }),
            (denial, ..) => {
                let why = self.troubles.of_keyring(&key);
                let denial = denial.unwrap_or(Denial::Unknown);
                Err(trouble::denial(denial, key.id.as_str(), why))
            }
        };
        let _ = reply.send(lent);
    }

    /// The server has refused the token of a call, in the words that confirm a death. Only the answer to a
    /// `logoutUser` ends a session, so that is asked for.
    pub(super) fn refused_by_server(&mut self, key: &Key) {
        if self.is_active(key) {
            let reason = Reason::Server;
            info!(session = %key.id, reason = reason.name(), "it is revoked");
            self.event(Event::Revoke { id: key.id.clone(), reason });
        }
    }
}
