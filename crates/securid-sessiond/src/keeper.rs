//! The one task that owns the state: it feeds the machine and carries its actions out.
//!
//! Nothing here waits: what takes time is an errand, which comes back as a [`Message`].
//!
//! - `actions`: what the machine wants, carried out
//! - `auditing`: what the audit is told
//! - `calls`: what clients ask; `ends`: what they ask of the ends of sessions
//! - `holds`: who holds which sessions
//! - `keyrings`: secrets without a record, and secrets that must not grow stale
//! - `leaving`: when there is nothing to do
//! - `taking_in`: tokens on their way in
//! - `logouts`: clients that wait for an end
//! - `draining`: when nothing is left to be revoked
//! - `desktop`: what logind and its like have to say, and what is wanted of them
//! - `network`: when the network is listened to
//! - `notices`: what a person is told on the desktop
//! - `relaying`: tokens for calls
//! - `reloading`: another config counts from now on
//! - `resting`: when nothing happens
//! - `standing`: how things stand, for the service manager
//! - `stopping`: how the daemon comes to its end
//! - `tokens`: those in hand, and which of them are the same
//! - `troubles`: why errands failed
//! - `views`: sessions as the protocol shows them
//! - `watching`: clients that are told of every change

mod actions;
mod auditing;
mod calls;
mod desktop;
mod draining;
mod ends;
mod holds;
mod keyrings;
mod leaving;
mod logouts;
mod network;
mod notices;
mod relaying;
mod reloading;
mod resting;
mod standing;
mod stopping;
mod taking_in;
mod tokens;
mod troubles;
mod views;
mod watching;

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use securid_ipc::messages::{Call, ReloadView, Reply, RpcError};
use securid_ipc::server::ConnectionId;
use securid_session::{
    About, Event, Found, Key, Machine, Moment, Phase, Reason, Session, SessionId, Verdict,
};
use securid_store::{Entry, HistoryLine, KeyringError, StoreKind, crash};
use tokio::sync::{mpsc, oneshot};
use tracing::{debug, info, warn};

use crate::clock::{self, Alarm};
use crate::config::{Config, LiveConfig};
use crate::desktop::News;
use crate::errands::{Done, Errands};
use crate::memory;

pub(crate) use holds::MOST_HOLDS;
pub(crate) use relaying::Lent;
pub(crate) use stopping::End;
pub(crate) use taking_in::Taking;
pub(crate) use views::ended;

/// The way to the keeper. Unbounded, because every sender is bounded itself: a connection has few
/// requests in flight, a session few errands.
pub(crate) type Inbox = mpsc::UnboundedSender<Message>;

type Answer<T> = oneshot::Sender<Result<T, RpcError>>;

/// What the keeper is told.
pub(crate) enum Message {
    /// A client asks something.
    Call { connection: ConnectionId, call: Call, reply: Answer<Reply> },
    /// A client that has subscribed has room for an event.
    NextEvent { connection: ConnectionId, waiting: watching::Waiting },
    /// A client has gone; its holds end.
    Closed(ConnectionId),
    /// The client of a login had gone before it was told of this session.
    Abandoned(String),
    /// A call needs a session's token.
    LendToCall { session: Option<String>, reply: Answer<Lent> },
    /// A call for which this was lent has ended.
    CallEnded(Key),
    /// The server has refused the token of a call as dead.
    RefusedByServer(Key),
    /// May a login be sent, and may this connection hold its session?
    LoginBegins { holder: Option<ConnectionId>, reply: Answer<()> },
    /// A login is over, whatever came of it.
    LoginEnds,
    /// A token is here, to be taken in.
    Take(Taking, Answer<securid_ipc::messages::TakenView>),
    /// An errand came back.
    Done(Box<Done>),
    /// Which sessions have a secret in a store, or why that cannot be told.
    Listed(StoreKind, Result<Option<Vec<SessionId>>, KeyringError>),
    /// The secret of a session without a record, or why it cannot be read.
    Orphan(StoreKind, SessionId, Result<Option<Entry>, KeyringError>),
    /// How the server at this URL answered.
    Contact(String, Result<(), String>),
    /// How the keyring for new secrets is.
    KeyringSeen(Result<StoreKind, KeyringError>),
    /// Which sessions are dead and not in the history yet?
    Fresh(oneshot::Sender<Vec<HistoryLine>>),
    /// The records on disk are gone.
    RecordsGone,
    /// The desktop has something to say.
    Desktop(News),
    /// The network is another than before.
    NetworkChanged,
    /// Another config, with what is odd in it.
    Config { config: Config, warnings: Vec<String>, reply: Answer<ReloadView> },
    /// The process was sent SIGTERM or SIGINT, or what other systems have for them; and how long it has left, where the
    /// system ends it.
    Signal(Option<Duration>),
}

impl Message {
    /// Whether it changes nothing, unless time has, which [`Keeper::event`] notices.
    fn only_asks(&self) -> bool {
        let Self::Call { call, .. } = self else { return false };
        matches!(call, Call::Status | Call::List(_) | Call::Show(_))
    }
}

/// How a server answered last.
struct Contact {
    at: Moment,
    result: Result<(), String>,
}

/// Somebody who waits for a secret that is being fetched.
struct Deferred {
    key: Key,
    waiting: Waiting,
}

/// Who waits.
enum Waiting {
    ToAnswer { connection: ConnectionId, call: Call, reply: Answer<Reply> },
    ToCall { session: Option<String>, reply: Answer<Lent> },
}

pub(crate) struct Keeper {
    config: LiveConfig,
    machine: Machine,
    errands: Errands,
    tokens: tokens::Tokens,
    troubles: troubles::Troubles,
    auditing: auditing::Auditing,
    holds: HashMap<ConnectionId, Vec<Key>>,
    taking_in: taking_in::TakingIn,
    logouts: logouts::Logouts,
    watching: watching::Watching,
    deferred: Vec<Deferred>,
    /// By URL: an instance that was edited is another server.
    contacts: HashMap<String, Contact>,
    logins_in_flight: usize,
    search: keyrings::Search,
    /// Why the keyring for new secrets cannot be used, for people.
    keyring_trouble: Option<String>,
    /// Sessions whose records this version leaves alone; their secrets are no orphans.
    left_alone: Vec<SessionId>,
    /// How many of these may be a live token's of this machine.
    unreadable: usize,
    problems: Vec<String>,
    /// Those of the problems that are the config's.
    config_warnings: Vec<String>,
    started: Moment,
    /// When secrets are looked at next, so that their keyring does not let go of them.
    freshen_at: Moment,
    /// Draws the names of sessions. They are no secrets: they only must not be taken.
    names: fastrand::Rng,
    desktop: desktop::Desktop,
    network: network::Network,
    notices: notices::Notices,
    standing: standing::Standing,
    leaving: leaving::Leaving,
    resting: resting::Resting,
    draining: Option<draining::Draining>,
    stopping: Option<stopping::Stopping>,
    /// Whether anything may be another way since those outside were last told how things stand.
    stirred: bool,
}

/// After so many messages those outside are told how things stand even if more are there: a crowd that never stops
/// asking keeps nothing from them. It is what a few clients ask at the same moment.
const BURST: usize = 64;

/// What was found at the start besides records.
#[derive(Default)]
pub(crate) struct Findings {
    /// For people: records left alone, files set aside, doubtful config keys.
    pub(crate) problems: Vec<String>,
    /// Those of them that another config may not have.
    pub(crate) config_warnings: Vec<String>,
    /// Sessions whose records this version leaves alone.
    pub(crate) left_alone: Vec<SessionId>,
    /// How many of these may be a live token's of this machine.
    pub(crate) unreadable: usize,
}

impl Keeper {
    /// A keeper that knows nothing of earlier sessions yet. `seed` is for names and
    /// jitter.
    pub(crate) fn new(config: LiveConfig, errands: Errands, findings: Findings, seed: u64) -> Self {
        let mut names = fastrand::Rng::with_seed(seed);
        Self {
            machine: Machine::new(config.now().revocation.policy(), names.u64(..)),
            config,
            auditing: auditing::Auditing::new(errands.audit.clone()),
            errands,
            tokens: tokens::Tokens::default(),
            troubles: troubles::Troubles::default(),
            holds: HashMap::new(),
            taking_in: taking_in::TakingIn::default(),
            logouts: logouts::Logouts::default(),
            watching: watching::Watching::default(),
            deferred: Vec::new(),
            contacts: HashMap::new(),
            logins_in_flight: 0,
            search: keyrings::Search::default(),
            keyring_trouble: None,
            left_alone: findings.left_alone,
            unreadable: findings.unreadable,
            problems: findings.problems,
            config_warnings: findings.config_warnings,
            started: clock::now(),
            freshen_at: clock::now().after(keyrings::FRESHEN_EVERY),
            names,
            desktop: desktop::Desktop::default(),
            network: network::Network::default(),
            notices: notices::Notices::default(),
            standing: standing::Standing::unreported(),
            leaving: leaving::Leaving::not_yet(),
            resting: resting::Resting::soon(),
            draining: None,
            stopping: None,
            stirred: false,
        }
    }

    /// Takes up what an earlier daemon left.
    pub(crate) fn restore(&mut self, record: securid_session::Record, same_boot: bool) {
        self.event(Event::Restore { record, same_boot });
    }

    /// Works until the daemon is to end.
    ///
    /// # Errors
    /// If the alarm clock fails: without it deadlines would pass unseen.
    pub(crate) async fn run(
        &mut self,
        inbox: &mut mpsc::UnboundedReceiver<Message>,
    ) -> io::Result<End> {
        let mut alarm = Alarm::new()?;
        let mut burst = 0;
        // What was set before is gone with the alarm before.
        self.stirred = true;
        loop {
            if let Some(end) = self.end() {
                return Ok(end);
            }
            // In the midst of a burst nobody outside needs to know of every step, and what only asks changes nothing.
            if inbox.is_empty() || burst >= BURST {
                burst = 0;
                let stirred = std::mem::take(&mut self.stirred);
                if stirred {
                    self.mind_desktop();
                    self.mind_network();
                    self.tell_watchers();
                    self.see_whether_to_leave();
                }
                memory::tell_if_unlocked();
                if self.rest_if_due() || stirred {
                    alarm.set(self.wakes_at())?;
                }
            }
            tokio::select! {
                biased;
                rung = alarm.ring() => {
                    rung?;
                    self.stirred = true;
                    self.event(Event::Tick);
                    self.give_up_waiting();
                    self.freshen();
                    self.search_if_due();
                    self.report_if_due();
                }
                Some(message) = inbox.recv() => {
                    burst += 1;
                    self.resting.stir();
                    self.take(message);
                }
            }
        }
    }

    /// When time alone will change something: for a session, a waiting client, or the grace.
    fn wakes_at(&self) -> Option<u64> {
        let stop = self.stopping.as_ref().map(stopping::Stopping::wakes_at);
        let drain = self.draining.as_ref().and_then(draining::Draining::wakes_at);
        let (notice, standing) = (self.notices.wakes_at(), self.standing.wakes_at());
        let (search, leave) = (self.search.wakes_at(), self.leaves_at());
        let rest = self.resting.wakes_at();
        let others = [stop, drain, notice, standing, search, leave, rest, Some(self.freshen_at)];
        let others = others.into_iter().flatten().map(|at| at.since_boot);
        others.chain(self.machine.wakes_at()).chain(self.logouts.wakes_at()).min()
    }

    fn take(&mut self, message: Message) {
        self.stirred |= !message.only_asks();
        match message {
            Message::Call { connection, call, reply } => self.call(connection, call, reply),
            Message::NextEvent { connection, waiting } => self.next_event(connection, waiting),
            Message::Closed(connection) => {
                self.stop_watching(connection);
                self.release_all(connection);
            }
            Message::Abandoned(id) => {
                let known = SessionId::parse(&id).and_then(|id| self.machine.session(&id));
                if let Some(key) = known.map(|session| session.key().clone()) {
                    info!(
                        session = %key.id,
                        reason = Reason::Abandoned.name(),
                        "its client has gone: it is revoked"
                    );
                    crash::point("login.abandoned", &key.id);
                    self.event(Event::Abandon { key });
                }
            }
            Message::LendToCall { session, reply } => self.lend_to_call(session, reply, true),
            Message::CallEnded(key) => {
                self.event(Event::CallEnded { key });
            }
            Message::RefusedByServer(key) => self.refused_by_server(&key),
            Message::LoginBegins { holder, reply } => self.login_begins(holder, reply),
            Message::LoginEnds => {
                self.logins_in_flight = self.logins_in_flight.saturating_sub(1);
            }
            Message::Take(taking, reply) => self.take_in(taking, reply),
            Message::Done(done) => self.done(*done),
            Message::Listed(kind, found) => self.listed(kind, found),
            Message::Orphan(kind, id, read) => self.orphan(kind, &id, read),
            Message::Contact(url, result) => {
                self.contacts.insert(url, Contact { at: clock::now(), result });
            }
            Message::KeyringSeen(seen) => self.keyring_seen(seen),
            Message::Fresh(reply) => {
                let fresh = self.machine.sessions().filter(|session| session.is_to_be_archived());
                let records = fresh.filter_map(Session::record);
                let _ = reply.send(records.filter_map(|record| HistoryLine::of(&record)).collect());
            }
            Message::RecordsGone => {
                self.event(Event::RecordsGone);
            }
            Message::Desktop(news) => self.desktop_says(news),
            Message::NetworkChanged => self.network_changed(),
            Message::Config { config, warnings, reply } => {
                let _ = reply.send(self.reload(config, warnings));
            }
            Message::Signal(left) => self.signalled(left),
        }
    }

    /// An errand came back: its token, its trouble, its event.
    fn done(&mut self, done: Done) {
        let Done { event, token, trouble } = done;
        let Some(key) = actions::key_of(&event).cloned() else { return };
        let fetched = matches!(event, Event::Fetched { .. });
        if let Some(token) = token {
            self.tokens.insert(key.clone(), token);
        }
        if let Some(trouble) = &trouble {
            debug!(session = %key.id, "{trouble}");
        }
        let keyring_answers = trouble.is_none() && troubles::at_keyring(&event);
        if self.troubles.note(&event, &key, trouble) {
            self.note_trouble(&key);
        }
        if let Event::Fetched { found: Found::Nowhere, .. } = &event {
            warn!(session = %key.id, "its secret is gone from the keyring");
        }
        if let Event::Answered { verdict, .. } = &event {
            self.note_contact(&key, verdict);
            if matches!(verdict, Verdict::Dead { .. }) {
                self.notice_end(&key);
            }
        }
        self.event(event);
        if keyring_answers {
            self.search_again();
        }
        if fetched {
            self.settle_twins(&key);
            self.resume(&key);
            self.take_in_suspended(&key);
        }
    }

    fn note_contact(&mut self, key: &Key, verdict: &Verdict) {
        let Some(session) = self.machine.session(&key.id) else { return };
        let About { instance, origin, .. } = &**session.about();
        let reason = session.pending().map(|pending| pending.revocation.reason.name());
        let result = match verdict {
            Verdict::Dead { outcome, evidence } => {
                let outcome = outcome.name();
                info!(session = %key.id, instance, reason, outcome, evidence, "dead");
                Ok(())
            }
            Verdict::Unreached { error } | Verdict::Unconfirmed { error, .. } => {
                warn!(session = %key.id, instance, reason, error, "not confirmed yet");
                Err(error.clone())
            }
        };
        let contact = Contact { at: clock::now(), result };
        self.contacts.insert(origin.url.clone(), contact);
    }

    fn about(&self, key: &Key) -> Option<Arc<About>> {
        self.machine.session(&key.id).map(|session| Arc::clone(session.about()))
    }

    fn count(&self, phase: Phase) -> u32 {
        u32::try_from(self.machine.count(phase)).unwrap_or(u32::MAX)
    }
}
