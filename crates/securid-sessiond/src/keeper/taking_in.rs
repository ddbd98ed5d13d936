//! Tokens on their way in: who brought them, and what they are told.

use std::collections::HashMap;
use std::sync::Arc;

use securid_api::Token;
use securid_ipc::messages::{RpcError, SessionView};
use securid_session::{About, Event, Key, Phase, Reason, Rejection, SessionId, Source};
use tracing::info;

use super::{Answer, Keeper, views};
use crate::{clock, trouble};

/// A token that is to be taken in.
pub(crate) struct Taking {
    pub(crate) token: Token,
    pub(crate) about: Arc<About>,
    pub(crate) source: Source,
    /// Whether this user's other sessions there are to end once this one is safe.
    pub(crate) replace: bool,
}

/// Whoever waits for a token to be acknowledged.
#[derive(Default)]
pub(super) struct TakingIn {
    waiting: HashMap<Key, Vec<Bringer>>,
}

struct Bringer {
    replace: bool,
    reply: Answer<SessionView>,
}

impl Keeper {
    pub(super) fn login_begins(&mut self, reply: Answer<()>) {
        if self.stop_by.is_some() {
            let _ = reply.send(Err(trouble::stopping()));
        } else if reply.send(Ok(())).is_ok() {
            self.logins_in_flight += 1;
        }
    }

    /// Takes a token in, unless it is here already: then whoever brings it gets its session.
    pub(super) fn take_in(&mut self, taking: Taking, reply: Answer<SessionView>) {
        let Taking { token, about, source, replace } = taking;
        let bringer = Bringer { replace, reply };
        if let Some(key) = self.holder(&token, &about) {
            return self.brought_again(&key, bringer);
        }
        let id = match self.free_name() {
            Ok(id) => id,
            Err(error) => {
                let _ = bringer.reply.send(Err(error));
                return;
            }
        };
        let key = self.machine.next_key(id.clone());
        self.tokens.insert(key.clone(), token);
        self.taking_in.waiting.insert(key, vec![bringer]);
        self.event(Event::Add { id, about, source });
    }

    fn holder(&self, token: &Token, about: &About) -> Option<Key> {
        let mut same = self.tokens.iter().filter(|(_, held)| *held == token);
        same.find(|(key, _)| {
            let session = self.machine.session(&key.id);
            session.is_some_and(|s| s.about().origin.url == about.origin.url)
        })
        .map(|(key, _)| key.clone())
    }

    fn brought_again(&mut self, key: &Key, bringer: Bringer) {
        let Some(session) = self.machine.session(&key.id) else { return };
        match session.phase() {
            Phase::Active => {
                let view = views::session(session, clock::now());
                let _ = bringer.reply.send(Ok(view));
            }
            Phase::Adding if self.taking_in.waiting.contains_key(key) => {
                self.taking_in.waiting.entry(key.clone()).or_default().push(bringer);
            }
            _ => {
                let _ = bringer.reply.send(Err(trouble::under_revocation(key.id.as_str())));
            }
        }
    }

    fn free_name(&self) -> Result<SessionId, RpcError> {
        loop {
            let bits = getrandom::u64().map_err(|error| trouble::no_randomness(&error))?;
            let id = SessionId::from_bits(bits);
            if self.machine.session(&id).is_none() && !self.left_alone.contains(&id) {
                return Ok(id);
            }
        }
    }

    /// The session is safe: now, and not before, whoever brought it is told.
    pub(super) fn acknowledge(&mut self, key: &Key) {
        let Some(session) = self.machine.session(&key.id) else { return };
        info!(session = %key.id, instance = session.about().instance, "taken in");
        let view = views::session(session, clock::now());
        let bringers = self.taking_in.waiting.remove(key).unwrap_or_default();
        if bringers.iter().any(|bringer| bringer.replace) {
            self.replace_others(key);
        }
        for bringer in bringers {
            let _ = bringer.reply.send(Ok(view.clone()));
        }
    }

    pub(super) fn reject(&mut self, key: &Key, why: Rejection) {
        let error = match why {
            Rejection::Stopping => trouble::stopping(),
            Rejection::Disk | Rejection::Keyring => {
                self.troubles.get(key).cloned().unwrap_or_else(trouble::not_stored)
            }
        };
        info!(session = %key.id, %error, "not taken in");
        for bringer in self.taking_in.waiting.remove(key).unwrap_or_default() {
            let _ = bringer.reply.send(Err(error.clone()));
        }
    }

    /// Tells whoever waits that the daemon goes.
    pub(super) fn turn_away(&mut self) {
        for bringer in self.taking_in.waiting.drain().flat_map(|(_, bringers)| bringers) {
            let _ = bringer.reply.send(Err(trouble::stopping()));
        }
    }

    fn replace_others(&mut self, key: &Key) {
        let Some(about) = self.about(key) else { return };
        let same_user =
            |other: &About| other.instance == about.instance && other.username == about.username;
        let others: Vec<SessionId> = self
            .machine
            .sessions()
            .filter(|s| s.phase() == Phase::Active && s.id() != &key.id && same_user(s.about()))
            .map(|s| s.id().clone())
            .collect();
        for id in others {
            self.event(Event::Revoke { id, reason: Reason::Replaced });
        }
    }
}
