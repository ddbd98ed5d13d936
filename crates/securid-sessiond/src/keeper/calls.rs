//! What clients ask, answered from the state, or begun here.

use std::collections::HashSet;

use securid_ipc::messages::{
    Call, ContactView, ErrorCode, InstanceView, KeyringState, KeyringView, List, ListView, Reply,
    RpcError, SessionCounts, SessionRef, StatusView, StopView, TokenView, Use,
};
use securid_ipc::server::ConnectionId;
use securid_secret::Secret;
use securid_session::{Denial, Event, Key, Phase, Session, SessionId};
use securid_store::{Preference, Readiness, crash};

use super::{Answer, Deferred, Keeper, Waiting, views};
use crate::config::Fate;
use crate::{clock, selector, trouble};

/// How many sessions a page of the list has at most: at some 600 bytes each, well within a reply
/// line of 1 MiB.
const PAGE: usize = 500;

/// How many problems a status tells; the log has the others. Each may be a line about one of ten thousand sessions,
/// and a reply has its limit.
const MOST_PROBLEMS: usize = 100;

impl Keeper {
    /// Answers a call, at once or when what it waits for has happened.
    pub(super) fn call(&mut self, connection: ConnectionId, call: Call, reply: Answer<Reply>) {
        // A limit that has passed is enforced before anything is said.
        self.event(Event::Tick);
        let answer = match call {
            Call::Logout(params) => return self.logout(&params, reply),
            call @ (Call::Token(_) | Call::Hold(_)) => {
                return self.lend(connection, call, reply, true);
            }
            Call::Status => Ok(Reply::Status(self.status())),
            Call::List(params) => Ok(Reply::List(self.list(&params))),
            Call::Show(params) => self
                .one(params.session.as_deref())
                .map(|session| Reply::Session(self.known().session(session, clock::now()))),
            Call::Touch(params) => self.touch(&params),
            Call::Retry(params) => self.retry(params.sessions.as_deref()),
            Call::Forget(params) => self.forget(&params.session),
            Call::Subscribe => self.subscribe(connection),
            Call::Stop(params) => {
                let keep = params.keep.unwrap_or(self.config.now().on_exit == Fate::Keep);
                Ok(Reply::Stopping(StopView { keep: self.stop(keep) }))
            }
            // Answered before they come here.
            Call::Add(_)
            | Call::Login(_)
            | Call::Instructions(_)
            | Call::History(_)
            | Call::Relay(_)
            | Call::Reload => {
                Err(RpcError::new(ErrorCode::Method, "this call is not the keeper's"))
            }
        };
        let _ = reply.send(answer);
    }

    /// Calls that waited for a secret are tried once more.
    pub(super) fn resume(&mut self, key: &Key) {
        let ready: Vec<Deferred> = self.deferred.extract_if(.., |d| d.key == *key).collect();
        for Deferred { waiting, .. } in ready {
            match waiting {
                Waiting::ToAnswer { connection, call, reply } => {
                    self.lend(connection, call, reply, false);
                }
                Waiting::ToCall { session, reply } => self.lend_to_call(session, reply, false),
            }
        }
    }

    /// Answers clients whose time is over.
    pub(super) fn give_up_waiting(&mut self) {
        let known = views::Known { machine: &self.machine, troubles: &self.troubles };
        self.logouts.expire(known, clock::now());
    }

    /// Answers whoever waits still: the daemon goes.
    pub(crate) fn say_goodbye(&mut self) {
        let known = views::Known { machine: &self.machine, troubles: &self.troubles };
        self.logouts.answer_everybody(known);
        self.deferred.clear();
        self.turn_away();
    }

    pub(super) fn one(&self, wanted: Option<&str>) -> Result<&Session, RpcError> {
        selector::one(&self.machine, wanted, self.config.now().default_instance.as_deref())
    }

    /// Gives the token out, or holds the session for this connection. Where the secret has still
    /// to be read from the keyring, `may_wait` for that: it has a deadline of its own.
    fn lend(&mut self, connection: ConnectionId, call: Call, reply: Answer<Reply>, may_wait: bool) {
        let (wanted, span, hold) = match &call {
            Call::Token(params) => (&params.session, params.in_use_for, false),
            Call::Hold(params) => (&params.session, None, true),
            _ => return,
        };
        let key = match self.one(wanted.as_deref()) {
            Ok(session) => session.key().clone(),
            Err(error) => {
                let _ = reply.send(Err(error));
                return;
            }
        };
        if hold && !self.may_hold(connection) {
            let _ = reply.send(Err(trouble::too_many_holds()));
            return;
        }
        let id = key.id.clone();
        crash::point("use.asked", &id);
        let denial =
            if hold { self.hold(connection, &key) } else { self.event(Event::Lend { id, span }) };
        let answer = match denial {
            Some(Denial::Unreachable) if may_wait => {
                let waiting = Waiting::ToAnswer { connection, call, reply };
                self.deferred.push(Deferred { key, waiting });
                return;
            }
            Some(denial) => {
                let why = self.troubles.of_keyring(&key);
                Err(trouble::denial(denial, key.id.as_str(), why))
            }
            None if hold => Ok(Reply::Held(SessionRef { session: key.id.to_string() })),
            None => self.token(&key),
        };
        crash::point("use.granted", &key.id);
        let _ = reply.send(answer);
    }

    fn token(&self, key: &Key) -> Result<Reply, RpcError> {
        let session = self.machine.session(&key.id).filter(|session| session.key() == key);
        let (Some(session), Some(token)) = (session, self.tokens.get(key)) else {
            return Err(trouble::no_such_session(key.id.as_str()));
        };
        let now = clock::now();
        Ok(Reply::Token(TokenView {
            token: Secret::from(token.expose()),
            url: session.about().origin.url.clone(),
            session: key.id.to_string(),
            instance: session.about().instance.clone(),
            expires_at: session.expires_at().map(|at| clock::wall_time(at, now)),
        }))
    }

    fn touch(&mut self, params: &Use) -> Result<Reply, RpcError> {
        let id = self.one(params.session.as_deref())?.id().clone();
        crash::point("use.asked", &id);
        match self.event(Event::Touch { id: id.clone(), span: params.in_use_for }) {
            Some(denial) => Err(trouble::denial(denial, id.as_str(), None)),
            None => Ok(Reply::Touched(SessionRef { session: id.to_string() })),
        }
    }

    fn list(&self, params: &List) -> ListView {
        let page = params.limit.map_or(PAGE, |n| (n as usize).clamp(1, PAGE));
        let after = params.cursor.as_deref().unwrap_or_default();
        // A cursor that is not ours has its place among the ids all the same.
        let told = SessionId::parse(after);
        let rest = self.machine.sessions_after(told.as_ref());
        let mut rest = rest.filter(|s| selector::is_shown(s) && s.id().as_str() > after);
        let (known, now, mut times) = (self.known(), clock::now(), views::Times::default());
        let view = |session| known.one_of_many(session, now, &mut times);
        let sessions: Vec<_> = rest.by_ref().take(page).map(view).collect();
        let more = rest.next().is_some();
        let cursor = sessions.last().filter(|_| more).map(|last| last.id.clone());
        ListView { sessions, cursor }
    }

    fn status(&self) -> StatusView {
        let now = clock::now();
        let revoking = self.machine.count(Phase::Revoking) > 0;
        let oldest = revoking
            .then(|| self.machine.sessions())
            .into_iter()
            .flatten()
            .filter(|session| session.phase() == Phase::Revoking)
            .filter_map(|session| session.pending())
            .map(|pending| pending.revocation.since.unix)
            .min();
        StatusView {
            version: securid_ipc::VERSION.to_owned(),
            pid: std::process::id(),
            started_at: clock::rfc3339(self.started.unix),
            sessions: SessionCounts {
                adding: self.count(Phase::Adding),
                active: self.count(Phase::Active),
                revoking: self.count(Phase::Revoking),
                lost: self.count(Phase::Lost),
            },
            undecided: u32::try_from(self.unreadable + self.undecided().len()).unwrap_or(u32::MAX),
            oldest_pending_seconds: oldest
                .map(|since| u64::try_from(now.unix.saturating_sub(since)).unwrap_or(0) / 1000),
            keyring: self.keyring(),
            instances: self.instances(),
            problems: self.all_problems(),
            config: Some(self.config.now().mark()),
        }
    }

    /// What people should know, at most [`MOST_PROBLEMS`] lines of it.
    fn all_problems(&self) -> Vec<String> {
        let stopping = self.stopping.is_some().then(|| "it is stopping".to_owned());
        let known = self.problems.iter().chain(&self.keyring_trouble).cloned();
        let mut problems: Vec<String> = known.chain(stopping).collect();
        problems.extend(self.errands.audit.problems());
        problems.extend(self.errands.servers.problem());
        problems.extend(self.problems_of_sessions());
        let more = problems.len().saturating_sub(MOST_PROBLEMS);
        if more > 0 {
            problems.truncate(MOST_PROBLEMS);
            problems
                .push(format!("and {more} more: the daemon's log and securid-ctl list have them"));
        }
        problems
    }

    fn problems_of_sessions(&self) -> Vec<String> {
        // Mostly there is nothing, and ten thousand sessions need not be gone through for that.
        if self.machine.count(Phase::Lost) == 0 && self.troubles.keyrings_are_well() {
            return Vec::new();
        }
        let lost = self.machine.sessions().filter(|session| session.phase() == Phase::Lost);
        let lost = lost.map(|session| {
            let id = session.id();
            format!("the token of session {id} is gone: securid-ctl forget {id} --yes gives it up")
        });
        let mut problems: Vec<String> = lost.collect();
        let mut told: HashSet<&str> = HashSet::new();
        let told_already =
            |to_do: &str| self.keyring_trouble.iter().any(|trouble| trouble.ends_with(to_do));
        let out_of_reach = self.machine.sessions().filter(|session| !session.in_hand());
        for trouble in out_of_reach.filter_map(|session| self.troubles.of_keyring(session.key())) {
            let to_do = trouble.data.hint.as_deref().unwrap_or_default();
            match trouble.code {
                // What a keyring gives out is not to be used: no unlocking will mend that.
                ErrorCode::StorageFailed => problems.push(trouble.to_string()),
                // Not always the keyring for new secrets, and not always the same to be done.
                ErrorCode::KeyringUnavailable if !told_already(to_do) && told.insert(to_do) => {
                    problems.push(format!("{trouble}. {to_do}"));
                }
                _ => {}
            }
        }
        problems
    }

    /// The store for new secrets as it was last seen, without asking it: a status never hangs.
    fn keyring(&self) -> KeyringView {
        let last_seen = |kind| self.errands.keyring.state(kind);
        let preference = self.config.now().keyring;
        let first = self.errands.keyring.first(preference);
        let kind = match (preference, last_seen(first)) {
            (Preference::Fixed(_), _) | (_, Some(Readiness::Ready | Readiness::Locked)) => first,
            (Preference::Auto, _) => self.errands.keyring.fallback(),
        };
        let state = match last_seen(kind) {
            Some(Readiness::Ready) => KeyringState::Ready,
            Some(Readiness::Locked) => KeyringState::Locked,
            Some(Readiness::Unavailable) | None => KeyringState::Unavailable,
        };
        KeyringView { kind: kind.name().to_owned(), state, survives_reboot: kind.survives_reboot() }
    }

    fn instances(&self) -> Vec<InstanceView> {
        let contact = |url: &str| {
            self.contacts.get(url).map(|contact| ContactView {
                at: clock::rfc3339(contact.at.unix),
                ok: contact.result.is_ok(),
                message: contact.result.clone().err(),
            })
        };
        let view = |name: &String, url: &str| InstanceView {
            name: name.clone(),
            url: url.to_owned(),
            last_contact: contact(url),
        };
        self.config.now().instances.iter().map(|(name, i)| view(name, i.endpoint.url())).collect()
    }
}
