//! Clients that are told of every change.
//!
//! Of each nothing is remembered but how far it was told: which change of a session and which end it knows.
//! An event is made when a client has room for it, from how things stand then. So whoever reads slowly gets
//! fewer events, and costs no more.

use std::collections::{BTreeMap, HashMap, VecDeque};

use securid_ipc::messages::{ErrorCode, Event, HistoryItem, News, Reply, RpcError, SubscribedView};
use securid_ipc::server::ConnectionId;
use securid_session::{Key, Machine, Phase, Session, SessionId};
use securid_store::HistoryLine;
use tokio::sync::oneshot;

use super::Keeper;
use super::views::{Known, ended};
use crate::{clock, selector};

/// How many may watch at once: a person has a terminal or two and a desktop's panel. Each change is told to each
/// of them.
const MOST_WATCHERS: usize = 16;

/// How many ends are remembered for those who have not read them yet, some 500 bytes each.
const MOST_ENDS: u64 = 1_000;

/// Whoever waits for the next event of its connection.
pub(crate) type Waiting = oneshot::Sender<Event>;

/// Who watches, and what there is to tell.
#[derive(Default)]
pub(super) struct Watching {
    watchers: BTreeMap<ConnectionId, Watcher>,
    log: Log,
}

/// What has happened since somebody watches.
#[derive(Default)]
struct Log {
    /// The sessions in the order of their last changes, each once, by the numbers of these.
    changes: BTreeMap<u64, SessionId>,
    /// The number of each session's last change.
    changed: HashMap<SessionId, u64>,
    /// The number of the last change of all.
    latest: u64,
    /// The latest ends that somebody has still to be told of; the last one has the number `ended`.
    ends: VecDeque<HistoryItem>,
    ended: u64,
}

/// How far a client was told.
struct Watcher {
    events: u64,
    round: Round,
    /// The number of the last change that it knows.
    change: u64,
    /// The number of the last end that it knows.
    end: u64,
    waiting: Option<Waiting>,
}

/// How far the round through all sessions has come, in the order of their ids.
enum Round {
    Begins,
    After(SessionId),
    Over,
}

impl Keeper {
    /// This connection is told of every change from now on.
    pub(super) fn subscribe(&mut self, connection: ConnectionId) -> Result<Reply, RpcError> {
        let watchers = &mut self.watching.watchers;
        if watchers.contains_key(&connection) {
            let message = "this connection has subscribed already";
            return Err(RpcError::new(ErrorCode::Request, message)
                .with_hint("Go on reading, or subscribe on another connection."));
        }
        if watchers.len() >= MOST_WATCHERS {
            let message = format!("{MOST_WATCHERS} clients watch already, as many as may");
            return Err(RpcError::new(ErrorCode::LimitExceeded, message).with_hint(
                "End another securid-ctl watch, or ask for session.list now and then.",
            ));
        }
        let Log { latest: change, ended: end, .. } = self.watching.log;
        let watcher = Watcher { events: 0, round: Round::Begins, change, end, waiting: None };
        self.watching.watchers.insert(connection, watcher);
        self.machine.watch(true);
        Ok(Reply::Subscribed(SubscribedView {}))
    }

    /// This connection has room for an event.
    pub(super) fn next_event(&mut self, connection: ConnectionId, waiting: Waiting) {
        // Without a watcher it is told that there will be none.
        if let Some(watcher) = self.watching.watchers.get_mut(&connection) {
            watcher.waiting = Some(waiting);
        }
    }

    /// This connection has closed.
    pub(super) fn stop_watching(&mut self, connection: ConnectionId) {
        let watched = self.watching.watchers.remove(&connection).is_some();
        if watched && self.watching.watchers.is_empty() {
            self.machine.watch(false);
            // What there is to tell is nobody's any more.
            self.watching = Watching::default();
        }
    }

    /// Notes which sessions have changed or ended by an event.
    pub(super) fn note_changes(&mut self) {
        if self.watching.watchers.is_empty() {
            return;
        }
        for id in self.machine.take_changed() {
            self.watching.log.note(&self.machine, id);
        }
    }

    /// Why the keyring does not give the token of this session out is another reason than before. What keeps one from
    /// being cleared away that has ended is no news: its end was told.
    pub(super) fn note_trouble(&mut self, key: &Key) {
        let is_shown = |key: &Key| self.machine.session(&key.id).is_some_and(selector::is_shown);
        if !self.watching.watchers.is_empty() && is_shown(key) {
            self.watching.log.note(&self.machine, key.id.clone());
        }
    }

    /// Tells those who have room for it.
    pub(super) fn tell_watchers(&mut self) {
        let known = Known { machine: &self.machine, troubles: &self.troubles };
        self.watching.tell(known);
    }
}

impl Watching {
    fn tell(&mut self, known: Known<'_>) {
        for watcher in self.watchers.values_mut() {
            let Some(waiting) = watcher.waiting.take() else { continue };
            match watcher.next(&self.log, known) {
                Some(news) => {
                    watcher.events += 1;
                    // Whoever has gone meanwhile is reported as closed.
                    let _ = waiting.send(Event { seq: watcher.events, news });
                }
                None => watcher.waiting = Some(waiting),
            }
        }
        if let Some(told) = self.watchers.values().map(|watcher| watcher.end).min() {
            self.log.drop_ends_until(told);
        }
    }
}

impl Log {
    /// The session has changed, or has ended.
    fn note(&mut self, machine: &Machine, id: SessionId) {
        if let Some(before) = self.changed.remove(&id) {
            self.changes.remove(&before);
        }
        let Some(session) = machine.session(&id) else { return };
        if selector::is_shown(session) {
            self.latest += 1;
            self.changes.insert(self.latest, id.clone());
            self.changed.insert(id, self.latest);
        } else if session.phase() == Phase::Ended
            && let Some(line) = session.record().and_then(|record| HistoryLine::of(&record))
        {
            self.ended += 1;
            self.ends.push_back(ended(&line));
            let beyond = self.ended.saturating_sub(MOST_ENDS);
            self.drop_ends_until(beyond);
        }
    }

    /// The number of the end before the first that is remembered.
    fn forgotten(&self) -> u64 {
        self.ended - self.ends.len() as u64
    }

    fn drop_ends_until(&mut self, end: u64) {
        let more = end.saturating_sub(self.forgotten());
        self.ends.drain(..usize::try_from(more).unwrap_or(usize::MAX).min(self.ends.len()));
    }
}

impl Watcher {
    /// What it is told next, if there is anything: ends first, so that an id that comes back is not told of as
    /// ended behind its new state.
    fn next(&mut self, log: &Log, known: Known<'_>) -> Option<News> {
        let missed = log.forgotten().saturating_sub(self.end);
        if missed > 0 {
            (self.end, self.change, self.round) = (log.forgotten(), log.latest, Round::Begins);
            return Some(News::Missed { ends: missed });
        }
        let unread = usize::try_from(self.end - log.forgotten()).ok()?;
        if let Some(session) = log.ends.get(unread) {
            self.end += 1;
            return Some(News::Ended { session: Box::new(session.clone()) });
        }
        let machine = known.machine;
        let id = match &self.round {
            Round::Over => {
                let (number, id) = log.changes.range(self.change + 1..).next()?;
                self.change = *number;
                Some(id)
            }
            Round::Begins => first_shown(machine.sessions()),
            Round::After(id) => first_shown(machine.sessions_after(Some(id))),
        };
        let Some(session) = id.and_then(|id| machine.session(id)) else {
            self.round = Round::Over;
            return Some(News::Ready);
        };
        if !matches!(self.round, Round::Over) {
            self.round = Round::After(session.id().clone());
        }
        Some(News::Session { session: Box::new(known.session(session, clock::now())) })
    }
}

fn first_shown<'a>(mut sessions: impl Iterator<Item = &'a Session>) -> Option<&'a SessionId> {
    sessions.find(|session| selector::is_shown(session)).map(Session::id)
}

#[cfg(test)]
mod tests;
