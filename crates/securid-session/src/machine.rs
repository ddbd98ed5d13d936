//! All sessions: takes events in, wakes what is due, hands out attempts.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use crate::backoff::Policy;
use crate::census::{Census, MOST_SESSIONS};
use crate::changes::Changes;
use crate::lane::Lane;
use crate::looks::Looks;
use crate::session::{Session, State};
use crate::slots::Slots;
use crate::{
    About, Action, Denial, Event, Generation, Key, Moment, Phase, Reason, Rejection, SessionId,
    Source,
};

/// The life of all sessions of one daemon.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Machine {
    policy: Policy,
    seed: u64,
    /// Boxed, for a tree keeps about half as much room free as it has in use.
    sessions: BTreeMap<SessionId, Box<Tracked>>,
    census: Census,
    /// When each session wants to be woken.
    agenda: BTreeSet<(u64, SessionId)>,
    slots: Slots,
    changes: Changes,
    /// The generation of the newest token.
    newest: Generation,
    stopping: Option<Stopping>,
    /// While stopping: those that are worth waiting for.
    restless: BTreeSet<SessionId>,
    /// Kept only while somebody watches.
    looks: Option<Looks>,
}

/// A session, and where it stands in the machine's lists.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Tracked {
    session: Session,
    /// The phase under which it is counted.
    counted: Option<Phase>,
    /// Its place in the agenda.
    wakes: Option<u64>,
    /// Its place in the line for attempts.
    queued: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Stopping {
    keep: bool,
}

impl Machine {
    /// A machine without sessions. `seed` is for the jitter alone: different daemons should have
    /// different ones.
    #[must_use]
    pub fn new(policy: Policy, seed: u64) -> Self {
        Self {
            policy,
            seed,
            sessions: BTreeMap::new(),
            census: Census::default(),
            agenda: BTreeSet::new(),
            slots: Slots::new(policy.concurrency),
            changes: Changes::default(),
            newest: Generation(0),
            stopping: None,
            restless: BTreeSet::new(),
            looks: None,
        }
    }

    /// Takes in what happened and says what is to be done. Whatever fell due by `now` is dealt
    /// with first, so that no answer is given on a deadline that has passed.
    ///
    /// Moments may not go backwards.
    #[must_use = "an action that is not carried out breaks the promise"]
    pub fn handle(&mut self, now: Moment, event: Event) -> Vec<Action> {
        let mut actions = Vec::new();
        self.wake(now, &mut actions);
        self.take(now, event, &mut actions);
        self.attempt(now, &mut actions);
        actions
    }

    /// What the token of the next [`Event::Add`] will be called, if it is added as `id`.
    #[must_use]
    pub fn next_key(&self, id: SessionId) -> Key {
        Key { id, generation: Generation(self.newest.0.saturating_add(1)) }
    }

    /// When [`Event::Tick`] is wanted next, in milliseconds since boot.
    #[must_use]
    pub fn wakes_at(&self) -> Option<u64> {
        self.agenda.first().map(|(at, _)| *at)
    }

    /// The session of this name, whatever its phase.
    #[must_use]
    pub fn session(&self, id: &SessionId) -> Option<&Session> {
        self.sessions.get(id).map(|tracked| &tracked.session)
    }

    /// All sessions in the order of their names, those being taken in or cleared up as well.
    pub fn sessions(&self) -> impl Iterator<Item = &Session> + Clone {
        self.sessions.values().map(|tracked| &tracked.session)
    }

    /// Those of them whose names come after this one; without one, all.
    pub fn sessions_after(&self, id: Option<&SessionId>) -> impl Iterator<Item = &Session> {
        let after = (id.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded);
        self.sessions.range::<SessionId, _>(after).map(|(_, tracked)| &tracked.session)
    }

    /// From now on [`Machine::take_changed`] tells which sessions look another way, or no more.
    pub fn watch(&mut self, on: bool) {
        if on != self.looks.is_some() {
            self.looks = on.then(|| Looks::of(self.sessions()));
        }
    }

    /// The sessions of which something that can be seen has changed since this was last asked, while it was
    /// watched: phase, holds, last use, deadlines, how far a revocation came. Times count to the second.
    pub fn take_changed(&mut self) -> BTreeSet<SessionId> {
        self.looks.as_mut().map(Looks::take_changed).unwrap_or_default()
    }

    /// How many sessions are in this phase.
    #[must_use]
    pub fn count(&self, phase: Phase) -> usize {
        self.census.of(phase)
    }

    /// Whether there is room for one session more besides so many that are on their way: see
    /// [`MOST_SESSIONS`]. Whoever brings a token asks before there is one. The machine itself refuses none: what was
    /// found, and what a login has made, is taken in beyond the limit as well, for it has to be revoked.
    #[must_use]
    pub fn has_room(&self, on_their_way: usize) -> bool {
        self.sessions.len().saturating_add(on_their_way) < MOST_SESSIONS
    }

    /// Whether [`Event::Stop`] has come.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.stopping.is_some()
    }

    /// Whether a stopping daemon has nothing left to wait for.
    #[must_use]
    pub fn at_rest(&self) -> bool {
        self.stopping.is_some() && self.restless.is_empty()
    }

    /// Whether it is known of every intent to revoke whether it is on disk.
    #[must_use]
    pub fn intents_settled(&self) -> bool {
        self.sessions().all(Session::intent_settled)
    }

    fn wake(&mut self, now: Moment, actions: &mut Vec<Action>) {
        while let Some((at, id)) = self.agenda.first().cloned()
            && at <= now.since_boot
        {
            self.agenda.pop_first();
            self.change(now, &id, actions, |_, _| {});
        }
    }

    fn take(&mut self, now: Moment, event: Event, actions: &mut Vec<Action>) {
        match event {
            Event::Add { id, about, source } => self.add(now, id, about, source, actions),
            Event::Restore { record, same_boot } => {
                self.newest = self.newest.max(record.key.generation);
                self.insert(now, Session::restored(now, record, same_boot), actions);
            }
            Event::Orphan { key, about } => {
                self.newest = self.newest.max(key.generation);
                self.insert(now, Session::orphan(now, key, about), actions);
            }

            Event::Lend { id, span } => self.grant(now, &id, true, actions, |session, out| {
                session.used(now, span);
                out.push(Action::Lend(session.key.clone()));
            }),
            Event::Hold { id } => self.grant(now, &id, false, actions, |s, _| s.hold(now)),
            Event::Touch { id, span } => {
                self.grant(now, &id, false, actions, |s, _| s.used(now, span));
            }
            Event::Read { id } => self.change(now, &id, actions, |s, _| s.keyring.hurry()),
            Event::Release { key } => {
                let leaving = self.stopping.is_some();
                self.current(now, &key, actions, |s, _| s.release(now, leaving));
            }
            Event::CallEnded { key } => {
                self.current(now, &key, actions, |s, _| s.release(now, true));
            }

            Event::Revoke { id, reason } => {
                self.change(now, &id, actions, |session, _| session.end_asked(now, reason));
            }
            Event::Abandon { key } => self.current(now, &key, actions, |session, _| {
                session.doom(Reason::Abandoned);
                session.end_asked(now, Reason::Abandoned);
            }),
            Event::Retry { id } => self.change(now, &id, actions, |s, _| s.retry(now)),
            Event::Forget { id } => self.change(now, &id, actions, |s, out| s.forget(now, out)),
            Event::Limits { id, limits } => {
                self.change(now, &id, actions, |session, _| session.limit(limits));
            }
            Event::Policy(policy) => {
                self.policy = policy;
                self.slots.resize(policy.concurrency);
            }
            Event::Stop { keep } => self.stop(now, keep, actions),
            Event::NetworkChanged => {
                let (from, seed) = (self.changes.count(now), self.seed);
                self.change_all(now, actions, |session| session.network_changed(from, seed));
            }
            Event::RecordsGone => self.change_all(now, actions, Session::record_gone),
            Event::Tick => {}

            Event::Written { key, done } => {
                self.disk_answer(now, &key, done, actions, |s, out| s.written(now, done, out));
            }
            Event::Archived { key, done } => {
                self.disk_answer(now, &key, done, actions, |s, _| s.archived(now, done));
            }
            Event::Removed { key, done } => {
                self.disk_answer(now, &key, done, actions, |s, out| s.removed(now, done, out));
            }
            Event::Stored { key, done } => {
                self.keyring_answer(now, &key, done, actions, |s, out| s.stored(now, done, out));
            }
            Event::Deleted { key, done } => {
                self.keyring_answer(now, &key, done, actions, |s, out| s.deleted(now, done, out));
            }
            Event::Fetched { key, found } => {
                let told = found != crate::Found::Unreachable;
                self.keyring_answer(now, &key, told, actions, |s, out| s.fetched(now, found, out));
            }
            Event::Answered { key, verdict } => {
                self.slots.release(&key);
                let (policy, seed) = (self.policy, self.seed);
                self.current(now, &key, actions, |session, out| {
                    session.answered(now, verdict, &policy, seed, out);
                });
            }
        }
    }

    fn add(
        &mut self,
        now: Moment,
        id: SessionId,
        about: Arc<About>,
        source: Source,
        actions: &mut Vec<Action>,
    ) {
        let key = self.next_key(id);
        self.newest = key.generation;
        let stopping = self.is_stopping();
        if stopping && source == Source::Handover {
            actions.push(Action::Reject(key.clone(), Rejection::Stopping));
            actions.push(Action::Wipe(key));
            return;
        }
        self.insert(now, Session::adding(now, key, about, source, stopping), actions);
    }

    /// A name that is taken keeps its session: nothing acknowledged is ever overwritten.
    fn insert(&mut self, now: Moment, session: Session, actions: &mut Vec<Action>) {
        let id = session.key.id.clone();
        if self.sessions.contains_key(&id) {
            return;
        }
        let tracked = Tracked { session, counted: None, wakes: None, queued: None };
        self.sessions.insert(id.clone(), Box::new(tracked));
        self.change(now, &id, actions, |_, _| {});
    }

    /// Lets the session be used, or says why not. A secret that is wanted and not at hand is asked
    /// for at once, however long ago the keyring last refused it.
    fn grant(
        &mut self,
        now: Moment,
        id: &SessionId,
        token: bool,
        actions: &mut Vec<Action>,
        using: impl FnOnce(&mut Session, &mut Vec<Action>),
    ) {
        let denial = self.session(id).map_or(Some(Denial::Unknown), |s| s.denial(token));
        match denial {
            None => self.change(now, id, actions, using),
            Some(denial) => {
                if denial == Denial::Unreachable {
                    self.change(now, id, actions, |session, _| session.keyring.hurry());
                }
                actions.push(Action::Deny(denial));
            }
        }
    }

    fn stop(&mut self, now: Moment, keep: bool, actions: &mut Vec<Action>) {
        self.stopping = Some(Stopping { keep });
        self.change_all(now, actions, |session| {
            if keep {
                session.stale |=
                    session.state == State::Active && session.last_used != session.recorded_use;
                return;
            }
            session.doom(Reason::Shutdown);
            session.last_chance(now);
            session.end_asked(now, Reason::Shutdown);
        });
    }

    fn disk_answer(
        &mut self,
        now: Moment,
        key: &Key,
        done: bool,
        actions: &mut Vec<Action>,
        change: impl FnOnce(&mut Session, &mut Vec<Action>),
    ) {
        let failed = self.at(key).is_some_and(|session| session.disk.is_failing());
        self.current(now, key, actions, change);
        if done && failed {
            self.hurry(now, actions, |session| Some(&mut session.disk));
        }
    }

    fn keyring_answer(
        &mut self,
        now: Moment,
        key: &Key,
        done: bool,
        actions: &mut Vec<Action>,
        change: impl FnOnce(&mut Session, &mut Vec<Action>),
    ) {
        let back = self
            .at(key)
            .filter(|session| done && session.keyring.is_failing())
            .map(|session| session.about.keyring.clone());
        self.current(now, key, actions, change);
        if let Some(store) = back {
            self.hurry(now, actions, |session| {
                (session.about.keyring == store).then_some(&mut session.keyring)
            });
        }
    }

    /// A place that had failed was seen working: whoever else waits for it goes at once.
    fn hurry<E: Copy + 'static>(
        &mut self,
        now: Moment,
        actions: &mut Vec<Action>,
        lane: impl Fn(&mut Session) -> Option<&mut Lane<E>>,
    ) {
        self.change_all(now, actions, |session| {
            if let Some(lane) = lane(session) {
                lane.works_again();
            }
        });
    }

    fn at(&self, key: &Key) -> Option<&Session> {
        self.session(&key.id).filter(|session| session.key == *key)
    }

    /// Changes the session if it still has the token that this is about: a slow answer for an old
    /// token never touches a newer one.
    fn current(
        &mut self,
        now: Moment,
        key: &Key,
        actions: &mut Vec<Action>,
        change: impl FnOnce(&mut Session, &mut Vec<Action>),
    ) {
        if self.at(key).is_some() {
            self.change(now, &key.id, actions, change);
        }
    }

    fn change_all(
        &mut self,
        now: Moment,
        actions: &mut Vec<Action>,
        change: impl Fn(&mut Session),
    ) {
        let ids: Vec<SessionId> = self.sessions.keys().cloned().collect();
        for id in ids {
            self.change(now, &id, actions, |session, _| change(session));
        }
    }

    /// Changes the session, then sees to its limits and to what it wants now.
    fn change(
        &mut self,
        now: Moment,
        id: &SessionId,
        actions: &mut Vec<Action>,
        change: impl FnOnce(&mut Session, &mut Vec<Action>),
    ) {
        let Some(tracked) = self.sessions.get_mut(id) else { return };
        change(&mut tracked.session, actions);
        if let Some(reason) = tracked.session.limit_reached(now) {
            tracked.session.revoke(now, reason);
        }
        tracked.session.send_errands(now, actions);
        self.relist(now, id);
    }

    /// Brings agenda, line, list of the restless and census up to date with the session.
    fn relist(&mut self, now: Moment, id: &SessionId) {
        let Some(tracked) = self.sessions.get_mut(id) else { return };
        let session = &tracked.session;
        let origin = session.about.origin.url.as_str();

        let ready = session.ready_since(now).map(|at| at.since_boot);
        if ready != tracked.queued {
            if let Some(due) = tracked.queued {
                self.slots.dequeue(origin, due, id);
            }
            if let Some(due) = ready {
                self.slots.enqueue(origin, due, id);
            }
            tracked.queued = ready;
        }

        let wakes = session.wakes_at(now).map(|at| at.since_boot);
        if let Some(old) = tracked.wakes {
            self.agenda.remove(&(old, id.clone()));
        }
        if let Some(at) = wakes {
            self.agenda.insert((at, id.clone()));
        }
        tracked.wakes = wakes;

        match self.stopping {
            Some(Stopping { keep }) if !session.at_rest(keep) => {
                self.restless.insert(id.clone());
            }
            _ => {
                self.restless.remove(id);
            }
        }
        let phase = (session.state != State::Gone).then(|| session.phase());
        if phase != tracked.counted {
            self.census.note(tracked.counted, phase);
            tracked.counted = phase;
        }
        if let Some(looks) = &mut self.looks {
            if phase.is_some() { looks.see(session) } else { looks.gone(id) }
        }
        if phase.is_none() {
            self.sessions.remove(id);
        }
    }

    /// Hands the free slots out.
    fn attempt(&mut self, now: Moment, actions: &mut Vec<Action>) {
        while let Some(id) = self.slots.next() {
            let Some(tracked) = self.sessions.get_mut(&id) else { continue };
            tracked.queued = None;
            tracked.session.attempting = true;
            let key = tracked.session.key.clone();
            self.slots.take(&tracked.session.about.origin.url, &key);
            actions.push(Action::Attempt(key));
            self.relist(now, &id);
        }
    }
}
