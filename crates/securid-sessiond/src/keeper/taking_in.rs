//! Tokens on their way in: who brought them, and what they are told.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use securid_api::Token;
use securid_ipc::messages::TakenView;
use securid_ipc::server::ConnectionId;
use securid_session::{About, Event, Key, Phase, Reason, Rejection, SessionId, Source};
use securid_store::crash;
use tracing::info;

use super::{Answer, Keeper};
use crate::{clock, trouble};

/// A token that is to be taken in.
pub(crate) struct Taking {
    pub(crate) token: Token,
    pub(crate) about: Arc<About>,
    pub(crate) source: Source,
    /// Whether this user's other sessions there are to end once this one is safe.
    pub(crate) replace: bool,
    /// Who holds it from the beginning.
    pub(crate) holder: Option<ConnectionId>,
}

/// Whoever waits for a token to be acknowledged.
#[derive(Default)]
pub(super) struct TakingIn {
    waiting: HashMap<Key, Vec<Bringer>>,
    suspended: Vec<Suspended>,
    /// What the last one is: mostly the next is the same, and then it is in memory once.
    last: Option<Arc<About>>,
}

/// A token that may be here already: it waits until these secrets were read, or cannot be.
struct Suspended {
    unread: HashSet<Key>,
    taking: Taking,
    reply: Answer<TakenView>,
}

struct Bringer {
    replace: bool,
    holder: Option<ConnectionId>,
    reply: Answer<TakenView>,
}

impl TakingIn {
    fn shared(&mut self, about: Arc<About>) -> Arc<About> {
        let last = self.last.take().filter(|last| *last == about).unwrap_or(about);
        Arc::clone(self.last.insert(last))
    }
}

impl Keeper {
    pub(super) fn login_begins(&mut self, holder: Option<ConnectionId>, reply: Answer<()>) {
        if self.stopping.is_some() {
            let _ = reply.send(Err(trouble::stopping()));
        } else if self.is_going_down() {
            let _ = reply.send(Err(trouble::going_down()));
        } else if !self.has_room() {
            let _ = reply.send(Err(trouble::too_many_sessions()));
        } else if !holder.is_none_or(|holder| self.may_hold(holder)) {
            let _ = reply.send(Err(trouble::too_many_holds()));
        } else if reply.send(Ok(())).is_ok() {
            self.logins_in_flight += 1;
        }
    }

    /// Takes a token in. One that is handed over may be here already, under a session whose secret
    /// was not read yet: that is found out first.
    pub(super) fn take_in(&mut self, taking: Taking, reply: Answer<TakenView>) {
        // A login's token is nobody else's: that is taken in, and revoked.
        if self.is_going_down() && taking.source == Source::Handover {
            let _ = reply.send(Err(trouble::going_down()));
            return;
        }
        let unread = self.unread(&taking);
        if unread.is_empty() {
            return self.take_in_now(taking, reply);
        }
        for key in &unread {
            self.event(Event::Read { id: key.id.clone() });
        }
        self.taking_in.suspended.push(Suspended { unread, taking, reply });
    }

    /// The keyring has said what it knows of that secret.
    pub(super) fn take_in_suspended(&mut self, read: &Key) {
        for suspended in &mut self.taking_in.suspended {
            suspended.unread.remove(read);
        }
        let ready: Vec<Suspended> =
            self.taking_in.suspended.extract_if(.., |s| s.unread.is_empty()).collect();
        for Suspended { taking, reply, .. } in ready {
            self.take_in_now(taking, reply);
        }
    }

    /// One token under two names (it was handed over while the keyring could not be read) has one
    /// fate: if either is to die, so is the other.
    pub(super) fn settle_twins(&mut self, key: &Key) {
        let (Some(about), Some(token)) = (self.about(key), self.tokens.get(key)) else { return };
        // It is one of them itself.
        let is_twin = |other: &Key| {
            self.about(other).is_some_and(|other| other.origin.url == about.origin.url)
        };
        let twins = self.tokens.same_as(token).filter(|other| is_twin(other));
        let all: Vec<Key> = twins.cloned().collect();
        let phase = |key: &Key| self.machine.session(&key.id).map(|session| session.phase());
        if all.len() > 1 && all.iter().any(|key| phase(key) == Some(Phase::Revoking)) {
            for key in all {
                self.event(Event::Revoke { id: key.id, reason: Reason::Request });
            }
        }
    }

    /// Takes it in, unless it is here already: then whoever brings it gets its session.
    fn take_in_now(&mut self, taking: Taking, reply: Answer<TakenView>) {
        let Taking { token, about, source, replace, holder } = taking;
        let bringer = Bringer { replace, holder, reply };
        if let Some(key) = self.holder(&token, &about) {
            return self.brought_again(&key, bringer);
        }
        // A login's token exists, and was made room for.
        if source == Source::Handover && !self.has_room() {
            let _ = bringer.reply.send(Err(trouble::too_many_sessions()));
            return;
        }
        let about = self.taking_in.shared(about);
        let id = self.free_name();
        let key = self.machine.next_key(id.clone());
        crash::point("add.begun", &id);
        self.tokens.insert(key.clone(), token);
        self.taking_in.waiting.insert(key, vec![bringer]);
        self.event(Event::Add { id, about, source });
    }

    /// Whether one session more may be taken in. Logins under way have their places.
    fn has_room(&self) -> bool {
        self.machine.has_room(self.logins_in_flight)
    }

    /// Sessions that may hold this token, but nobody knows.
    fn unread(&self, taking: &Taking) -> HashSet<Key> {
        if taking.source == Source::Login {
            return HashSet::new();
        }
        let same_server = |about: &About| about.origin.url == taking.about.origin.url;
        self.machine
            .sessions()
            .filter(|s| matches!(s.phase(), Phase::Active | Phase::Revoking))
            .filter(|s| !s.in_hand() && same_server(s.about()))
            .map(|s| s.key().clone())
            .collect()
    }

    fn holder(&self, token: &Token, about: &About) -> Option<Key> {
        let is_here = |key: &Key| {
            let session = self.machine.session(&key.id);
            session.is_some_and(|s| s.about().origin.url == about.origin.url)
        };
        self.tokens.same_as(token).find(|key| is_here(key)).cloned()
    }

    fn brought_again(&mut self, key: &Key, bringer: Bringer) {
        let Some(session) = self.machine.session(&key.id) else { return };
        match session.phase() {
            // Who ends it at the end of his program would end it for all who have this token.
            Phase::Active | Phase::Adding if bringer.holder.is_some() => {
                let _ = bringer.reply.send(Err(trouble::not_of_its_own(key.id.as_str())));
            }
            Phase::Active => self.welcome(key, vec![bringer]),
            Phase::Adding if self.taking_in.waiting.contains_key(key) => {
                self.taking_in.waiting.entry(key.clone()).or_default().push(bringer);
            }
            _ => {
                let _ = bringer.reply.send(Err(trouble::under_revocation(key.id.as_str())));
            }
        }
    }

    fn free_name(&mut self) -> SessionId {
        loop {
            let id = SessionId::from_bits(self.names.u64(..));
            if self.machine.session(&id).is_none() && !self.left_alone.contains(&id) {
                return id;
            }
        }
    }

    /// The session is safe: now, and not before, whoever brought it is told.
    pub(super) fn acknowledge(&mut self, key: &Key) {
        let Some(session) = self.machine.session(&key.id) else { return };
        info!(session = %key.id, instance = session.about().instance, "taken in");
        crash::point("add.acknowledged", &key.id);
        let bringers = self.taking_in.waiting.remove(key).unwrap_or_default();
        self.welcome(key, bringers);
    }

    /// It is active, and they are told.
    fn welcome(&mut self, key: &Key, bringers: Vec<Bringer>) {
        for holder in bringers.iter().filter_map(|bringer| bringer.holder) {
            self.hold(holder, key);
        }
        let Some(session) = self.machine.session(&key.id) else { return };
        let view = self.known().session(session, clock::now());
        let replaced =
            bringers.iter().any(|bringer| bringer.replace).then(|| self.replace_others(key));
        for bringer in bringers {
            let replaced = replaced.filter(|_| bringer.replace);
            let taken = TakenView { session: view.clone(), warning: None, replaced };
            let _ = bringer.reply.send(Ok(taken));
        }
    }

    pub(super) fn reject(&mut self, key: &Key, why: Rejection) {
        let error = self.troubles.of_rejection(key, why);
        info!(session = %key.id, %error, "not taken in");
        self.auditing.rejected(&self.machine, key, &error);
        crash::point("add.rejected", &key.id);
        for bringer in self.taking_in.waiting.remove(key).unwrap_or_default() {
            let _ = bringer.reply.send(Err(error.clone()));
        }
    }

    /// Tells whoever waits that the daemon goes.
    pub(super) fn turn_away(&mut self) {
        for bringer in self.taking_in.waiting.drain().flat_map(|(_, bringers)| bringers) {
            let _ = bringer.reply.send(Err(trouble::stopping()));
        }
        self.taking_in.suspended.clear();
    }

    /// Puts this user's other sessions there under revocation, and says how many.
    fn replace_others(&mut self, key: &Key) -> u32 {
        let Some(about) = self.about(key) else { return 0 };
        // One of the same name may be at another server, from before the instance was edited.
        let there = |other: &About| {
            other.instance == about.instance && other.origin.url == about.origin.url
        };
        let same_user = |other: &About| there(other) && other.username == about.username;
        let others: Vec<SessionId> = self
            .machine
            .sessions()
            .filter(|s| s.phase() == Phase::Active && s.id() != &key.id && same_user(s.about()))
            .map(|s| s.id().clone())
            .collect();
        let mut number = 0;
        for id in others {
            crash::point("replace.asked", &id);
            self.event(Event::Revoke { id, reason: Reason::Replaced });
            number += 1;
        }
        number
    }
}
