//! One daemon: the real machine, with a disk and a keyring that do at once what they are asked.

use std::sync::Arc;

use securid_session::{
    About, Action, Event, Found, Key, Limits, Machine, Network, Origin, Policy, Reason, Record,
    SessionId, Source,
};

use crate::clock::{Instant, moment};

/// A daemon that runs.
#[derive(Debug)]
pub(crate) struct Daemon {
    machine: Machine,
}

impl Daemon {
    /// Starts, with what it finds on disk from before the last boot. The attempts that are to be made follow.
    pub(crate) fn start(
        now: Instant,
        policy: Policy,
        seed: u64,
        records: Vec<Record>,
    ) -> (Self, Vec<Key>) {
        let mut daemon = Self { machine: Machine::new(policy, seed) };
        let mut attempts = Vec::new();
        for record in records {
            attempts.extend(daemon.event(now, Event::Restore { record, same_boot: false }));
        }
        (daemon, attempts)
    }

    /// Takes the tokens of these numbers in.
    pub(crate) fn log_in(
        &mut self,
        now: Instant,
        tokens: impl Iterator<Item = u64>,
        about: &Arc<About>,
    ) {
        for token in tokens {
            let (id, about) = (SessionId::from_bits(token), Arc::clone(about));
            let attempts = self.event(now, Event::Add { id, about, source: Source::Login });
            assert!(attempts.is_empty(), "one is revoked before anybody asked for it");
        }
    }

    /// `logout`: all that there is.
    pub(crate) fn log_out(&mut self, now: Instant) -> Vec<Key> {
        let ids: Vec<SessionId> = self.machine.sessions().map(|s| s.id().clone()).collect();
        let reason = Reason::Request;
        ids.into_iter().flat_map(|id| self.event(now, Event::Revoke { id, reason })).collect()
    }

    /// Something happened; what disk and keyring answer is told at once. The attempts that are to be made
    /// follow.
    pub(crate) fn event(&mut self, now: Instant, event: Event) -> Vec<Key> {
        let mut attempts = Vec::new();
        let mut events = vec![event];
        while let Some(event) = events.pop() {
            for action in self.machine.handle(moment(now), event) {
                match action {
                    Action::Attempt(key) => attempts.push(key),
                    other => events.extend(done(other)),
                }
            }
        }
        attempts
    }

    pub(crate) fn wakes_at(&self) -> Option<Instant> {
        self.machine.wakes_at()
    }

    pub(crate) fn has_sessions(&self) -> bool {
        self.machine.sessions().next().is_some()
    }

    /// The power goes off: what is on disk.
    pub(crate) fn records(&self) -> Vec<Record> {
        self.machine.sessions().filter_map(securid_session::Session::record).collect()
    }
}

/// The sessions of all: one server, and no limits of their own.
pub(crate) fn about() -> Arc<About> {
    Arc::new(About {
        instance: "prod".into(),
        username: None,
        origin: Origin {
            url: "https://aveksa.example/aveksa/command.submit".into(),
            ca_file: None,
            format: "json".into(),
            network: Network::default(),
        },
        keyring: "secret-service".into(),
        limits: Limits { idle: None, lifetime: None },
        tied: false,
    })
}

/// The number of a token, which its session is named by.
pub(crate) fn token(key: &Key) -> usize {
    usize::from_str_radix(key.id.as_str(), 16).unwrap_or(usize::MAX)
}

/// What disk or keyring answer.
fn done(action: Action) -> Option<Event> {
    let done = true;
    match action {
        Action::Write(record) => Some(Event::Written { key: record.key, done }),
        Action::Archive(record) => Some(Event::Archived { key: record.key, done }),
        Action::Remove(key) => Some(Event::Removed { key, done }),
        Action::Store(key) => Some(Event::Stored { key, done }),
        Action::Fetch(key) => Some(Event::Fetched { key, found: Found::Here }),
        Action::Delete(key) => Some(Event::Deleted { key, done }),
        _ => None,
    }
}
