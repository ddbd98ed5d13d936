//! What clients ask, answered from the state, or begun here.

use std::collections::HashSet;
use std::time::Duration;

use securid_ipc::messages::{
    Call, ContactView, ErrorCode, InstanceView, KeyringState, KeyringView, List, ListView, Logout,
    RefusedView, Reply, RetryView, RpcError, SessionCounts, SessionRef, StatusView, StopView,
    Targets, TokenView, Use,
};
use securid_ipc::server::ConnectionId;
use securid_secret::Secret;
use securid_session::{Denial, Event, Key, Outcome, Phase, Reason, Session, SessionId};
use securid_store::{Preference, Readiness, StoreKind, crash};
use securid_text::mention;

use super::{Answer, Deferred, Keeper, logouts, views};
use crate::config::Fate;
use crate::{clock, selector, trouble};

/// How many sessions a page of the list has at most: at some 600 bytes each, well within a reply
/// line of 1 MiB.
const PAGE: usize = 500;

/// How long a client may wait for a logout; one that wants longer asks again.
const LONGEST_WAIT: Duration = Duration::from_secs(60 * 60);

impl Keeper {
    /// Answers a call, at once or when what it waits for has happened.
    pub(super) fn call(&mut self, connection: ConnectionId, call: Call, reply: Answer<Reply>) {
        // A limit that has passed is enforced before anything is said.
        self.event(Event::Tick);
        let answer = match call {
            Call::Logout(params) => return self.logout(params, reply),
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
            Call::Stop(params) => {
                let keep = params.keep.unwrap_or(self.config.now().on_exit == Fate::Keep);
                Ok(Reply::Stopping(StopView { keep: self.stop(keep) }))
            }
            // Answered before they come here.
            Call::Add(_) | Call::Login(_) | Call::History(_) | Call::Reload => {
                Err(RpcError::new(ErrorCode::Method, "this call is not the keeper's"))
            }
        };
        let _ = reply.send(answer);
    }

    /// Calls that waited for a secret are tried once more.
    pub(super) fn resume(&mut self, key: &Key) {
        let ready: Vec<Deferred> = self.deferred.extract_if(.., |d| d.key == *key).collect();
        for Deferred { connection, call, reply, .. } in ready {
            self.lend(connection, call, reply, false);
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

    fn one(&self, wanted: Option<&str>) -> Result<&Session, RpcError> {
        selector::one(
            self.machine.sessions(),
            wanted,
            self.config.now().default_instance.as_deref(),
        )
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
        let id = key.id.clone();
        crash::point("use.asked", &id);
        let event = if hold { Event::Hold { id } } else { Event::Lend { id, span } };
        let answer = match self.event(event) {
            Some(Denial::Unreachable) if may_wait => {
                self.deferred.push(Deferred { key, connection, call, reply });
                return;
            }
            Some(denial) => {
                let why = self.troubles.of_keyring(&key);
                Err(trouble::denial(denial, key.id.as_str(), why))
            }
            None if hold => {
                self.holds.entry(connection).or_default().push(key.clone());
                Ok(Reply::Held(SessionRef { session: key.id.to_string() }))
            }
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
        let mut rest =
            self.machine.sessions().filter(|s| selector::is_shown(s) && s.id().as_str() > after);
        let (known, now) = (self.known(), clock::now());
        let sessions: Vec<_> =
            rest.by_ref().take(page).map(|session| known.session(session, now)).collect();
        let more = rest.next().is_some();
        let cursor = sessions.last().filter(|_| more).map(|last| last.id.clone());
        ListView { sessions, cursor }
    }

    fn logout(&mut self, params: Logout, reply: Answer<Reply>) {
        let mut meant: HashSet<Key> = HashSet::new();
        let mut refused = Vec::new();
        match &params.targets {
            Targets::All => {
                let shown = self.machine.sessions().filter(|s| selector::is_shown(s));
                meant.extend(shown.map(|s| s.key().clone()));
            }
            Targets::Selected(selectors) => {
                for wanted in selectors {
                    match self.ending_too(wanted) {
                        Ok(keys) => meant.extend(keys),
                        Err(error) if error.code == ErrorCode::Ambiguous => {
                            // Nothing is half done on a slip of the pen.
                            let _ = reply.send(Err(error));
                            return;
                        }
                        Err(error) => {
                            refused.push(RefusedView { selector: wanted.clone(), error });
                        }
                    }
                }
            }
        }
        for key in &meant {
            let id = key.id.clone();
            crash::point("logout.asked", &id);
            self.event(Event::Revoke { id, reason: Reason::Request });
        }
        let until = params.wait.map(|wait| clock::now().after(wait.min(LONGEST_WAIT)));
        let logout = logouts::Logout::new(meant, refused, until, reply);
        let known = views::Known { machine: &self.machine, troubles: &self.troubles };
        self.logouts.begin(logout, known);
    }

    /// The sessions of a selector, and one that is dead but not cleared up yet, by its id.
    fn ending_too(&self, wanted: &str) -> Result<Vec<Key>, RpcError> {
        let dead = selector::exact_id(wanted)
            .and_then(|id| self.machine.session(&id))
            .filter(|session| session.phase() == Phase::Ended);
        if let Some(session) = dead {
            return Ok(vec![session.key().clone()]);
        }
        let meant = selector::all(self.machine.sessions(), wanted)?;
        Ok(meant.into_iter().map(|session| session.key().clone()).collect())
    }

    fn retry(&mut self, wanted: Option<&[String]>) -> Result<Reply, RpcError> {
        let pending = |s: &&Session| matches!(s.phase(), Phase::Revoking | Phase::Lost);
        let mut ids: Vec<SessionId> = Vec::new();
        match wanted {
            None => {
                ids.extend(self.machine.sessions().filter(pending).map(|s| s.id().clone()));
            }
            Some(selectors) => {
                for wanted in selectors {
                    let meant = selector::all(self.machine.sessions(), wanted)?;
                    ids.extend(meant.into_iter().filter(pending).map(|s| s.id().clone()));
                }
            }
        }
        for id in &ids {
            crash::point("retry.asked", id);
            self.event(Event::Retry { id: id.clone() });
        }
        Ok(Reply::Retrying(RetryView { sessions: ids.iter().map(ToString::to_string).collect() }))
    }

    /// Only what is pending or lost can be given up, and only by an id: no word that means several.
    fn forget(&mut self, wanted: &str) -> Result<Reply, RpcError> {
        let meant = selector::all(self.machine.sessions(), wanted)?;
        let session = match meant.as_slice() {
            [session] if session.id().as_str().starts_with(wanted) => *session,
            _ => {
                let message = format!("{} is no id", mention(wanted));
                return Err(RpcError::new(ErrorCode::Params, message)
                    .with_hint("Give the id of one session, as securid-ctl list shows it."));
            }
        };
        let id = session.id().clone();
        if session.phase() == Phase::Active {
            let message = format!("session {id} is active, and forgetting would leave it alive");
            return Err(RpcError::new(ErrorCode::Params, message)
                .with_hint(format!("Log it out first: securid-ctl logout {id}")));
        }
        tracing::warn!(
            session = %id,
            instance = session.about().instance,
            reason = session.pending().map(|pending| pending.revocation.reason.name()),
            outcome = Outcome::Forgotten.name(),
            "given up on a person's word"
        );
        crash::point("forget.asked", &id);
        self.event(Event::Forget { id: id.clone() });
        Ok(Reply::Forgotten(SessionRef { session: id.to_string() }))
    }

    fn status(&self) -> StatusView {
        let now = clock::now();
        let oldest = self
            .machine
            .sessions()
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
            oldest_pending_seconds: oldest
                .map(|since| u64::try_from(now.unix.saturating_sub(since)).unwrap_or(0) / 1000),
            keyring: self.keyring(),
            instances: self.instances(),
            problems: self.all_problems(),
        }
    }

    fn all_problems(&self) -> Vec<String> {
        let stopping = self.stopping.is_some().then(|| "it is stopping".to_owned());
        let lost = self.machine.sessions().filter(|session| session.phase() == Phase::Lost);
        let lost = lost.map(|session| {
            let id = session.id();
            format!("the token of session {id} is gone: securid-ctl forget {id} --yes gives it up")
        });
        let known = self.problems.iter().chain(&self.keyring_trouble).cloned();
        let mut problems: Vec<String> = known.chain(stopping).chain(lost).collect();
        let out_of_reach = self.machine.sessions().filter(|session| !session.in_hand());
        for trouble in out_of_reach.filter_map(|session| self.troubles.of_keyring(session.key())) {
            let to_do = trouble.data.hint.as_deref().unwrap_or_default();
            match trouble.code {
                // What a keyring gives out is not to be used: no unlocking will mend that.
                ErrorCode::StorageFailed => problems.push(trouble.to_string()),
                // Not always the keyring for new secrets, and not always the same to be done.
                ErrorCode::KeyringUnavailable if !problems.iter().any(|p| p.ends_with(to_do)) => {
                    problems.push(format!("{trouble}. {to_do}"));
                }
                _ => {}
            }
        }
        problems.extend(self.errands.audit.problems());
        problems.extend(self.errands.servers.problem());
        problems
    }

    /// The store for new secrets as it was last seen, without asking it: a status never hangs.
    fn keyring(&self) -> KeyringView {
        let last_seen = |kind| self.errands.keyring.state(kind);
        let kind = match self.config.now().keyring {
            Preference::Fixed(kind) => kind,
            Preference::Auto => match last_seen(StoreKind::SecretService) {
                Some(Readiness::Ready | Readiness::Locked) => StoreKind::SecretService,
                _ => self.errands.keyring.fallback(),
            },
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
