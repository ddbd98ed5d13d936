//! Disk, keyring and server around one machine after another.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use securid_session::{
    About, Action, Event, Found, Key, Limits, Machine, Moment, Origin, Outcome, Phase, Policy,
    Record, SessionId, Source, Stage, Verdict,
};

use crate::rules::Ledger;

/// Few names, so that they are used again while answers about their old tokens are still out.
pub(crate) const SLOTS: u64 = 4;
pub(crate) const CONCURRENCY: usize = 2;
const IDLE: Duration = Duration::from_secs(20);
const LIFETIME: Duration = Duration::from_secs(60);

/// What becomes of an errand.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Fate {
    Done,
    Failed,
    DoneButReportedFailed,
}

/// What the server does with an attempt.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Reply {
    Revoked,
    Down,
    Throttled,
    /// Carried out, but the reply does not reach us.
    Lost,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Limit {
    Never,
    Idle,
    Both,
}

/// How often what was seen.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sights {
    pub(crate) acknowledged: u32,
    pub(crate) rejected: u32,
    pub(crate) lent: u32,
    pub(crate) confirmed: u32,
    pub(crate) forgotten: u32,
    pub(crate) crashes: u32,
    pub(crate) late_answers: u32,
    pub(crate) attempts_from_memory: u32,
    pub(crate) expired: u32,
}

impl std::ops::AddAssign for Sights {
    fn add_assign(&mut self, more: Self) {
        self.acknowledged += more.acknowledged;
        self.rejected += more.rejected;
        self.lent += more.lent;
        self.confirmed += more.confirmed;
        self.forgotten += more.forgotten;
        self.crashes += more.crashes;
        self.late_answers += more.late_answers;
        self.attempts_from_memory += more.attempts_from_memory;
        self.expired += more.expired;
    }
}

pub(crate) struct World {
    pub(crate) machine: Machine,
    pub(crate) now: Moment,
    pub(crate) disk: BTreeMap<SessionId, Record>,
    pub(crate) keyring: BTreeMap<SessionId, Key>,
    pub(crate) memory: BTreeSet<Key>,
    pub(crate) alive: BTreeSet<Key>,
    pub(crate) errands: Vec<Action>,
    /// What a store once denied to have.
    pub(crate) hidden: BTreeSet<Key>,
    pub(crate) ledgers: BTreeMap<Key, Ledger>,
    /// How many daemons there have been.
    pub(crate) epoch: u64,
    /// The name in each slot.
    pub(crate) names: Vec<u64>,
    pub(crate) sights: Sights,
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            machine: new_machine(),
            now: Moment { since_boot: 1_000_000, unix: 1_800_000_000_000 },
            disk: BTreeMap::new(),
            keyring: BTreeMap::new(),
            memory: BTreeSet::new(),
            alive: BTreeSet::new(),
            errands: Vec::new(),
            hidden: BTreeSet::new(),
            ledgers: BTreeMap::new(),
            epoch: 0,
            names: (0..SLOTS).collect(),
            sights: Sights::default(),
        }
    }

    /// The name in that slot. A daemon's names are random, so a name that the next daemon finds
    /// nothing of is never drawn again; within one daemon's life this test does reuse names.
    pub(crate) fn id(&self, slot: u64) -> SessionId {
        SessionId::from_bits(self.names[usize::try_from(slot).unwrap()])
    }

    fn is_taken(&self, id: &SessionId) -> bool {
        self.machine.session(id).is_some()
            || self.disk.contains_key(id)
            || self.keyring.contains_key(id)
    }

    fn rename_free_slots(&mut self) {
        self.epoch += 1;
        for slot in 0..SLOTS {
            if !self.is_taken(&self.id(slot)) {
                self.names[usize::try_from(slot).unwrap()] = (self.epoch << 8) | slot;
            }
        }
    }

    pub(crate) fn add(&mut self, slot: u64, source: Source, limit: Limit) {
        let id = self.id(slot);
        // The daemon draws names until one is free.
        if self.is_taken(&id) {
            return;
        }
        let limits = match limit {
            Limit::Never => Limits { idle: None, lifetime: None },
            Limit::Idle => Limits { idle: Some(IDLE), lifetime: None },
            Limit::Both => Limits { idle: Some(IDLE), lifetime: Some(LIFETIME) },
        };
        self.event(Event::Add { id, about: about(slot, limits), source });
    }

    pub(crate) fn release(&mut self, slot: u64) {
        if let Some(session) = self.machine.session(&self.id(slot)) {
            let key = session.key().clone();
            self.event(Event::Release { key });
        }
    }

    pub(crate) fn abandon(&mut self, slot: u64) {
        if let Some(session) = self.machine.session(&self.id(slot)) {
            let key = session.key().clone();
            self.event(Event::Abandon { key });
        }
    }

    pub(crate) fn forget(&mut self, slot: u64) {
        let id = self.id(slot);
        if let Some(session) = self.machine.session(&id)
            && matches!(session.phase(), Phase::Revoking | Phase::Lost)
        {
            let key = session.key().clone();
            self.ledgers.entry(key).or_default().forgotten = true;
            self.sights.forgotten += 1;
        }
        self.event(Event::Forget { id });
    }

    pub(crate) fn wait(&mut self, ms: u64) {
        let end = self.now.after(Duration::from_millis(ms));
        // The daemon's timer fires whenever the machine asked for it.
        while let Some(at) = self.machine.wakes_at().filter(|&at| at <= end.since_boot) {
            let span = at.saturating_sub(self.now.since_boot);
            self.now = self.now.after(Duration::from_millis(span));
            self.event(Event::Tick);
        }
        self.now = end;
        self.event(Event::Tick);
    }

    pub(crate) fn event(&mut self, event: Event) {
        let told = event.clone();
        self.feed(event);
        self.check(&told);
    }

    fn feed(&mut self, event: Event) {
        let actions = self.machine.handle(self.now, event);
        for action in actions {
            self.watch(&action);
            match action {
                Action::Write(_)
                | Action::Archive(_)
                | Action::Remove(_)
                | Action::Store(_)
                | Action::Fetch(_)
                | Action::Delete(_)
                | Action::Attempt(_) => self.errands.push(action),
                Action::Wipe(key) => {
                    self.memory.remove(&key);
                }
                Action::Acknowledge(_) | Action::Reject(..) | Action::Lend(_) | Action::Deny(_) => {
                }
            }
        }
    }

    pub(crate) fn answer(&mut self, which: usize, fate: Fate, reply: Reply) {
        if self.errands.is_empty() {
            return;
        }
        let mut at = which % self.errands.len();
        // Servers are slower than disks and keyrings: attempts are answered last, half the time.
        if which.is_multiple_of(2)
            && let Some(local) = self.errands.iter().position(|e| !matches!(e, Action::Attempt(_)))
        {
            at = local;
        }
        let errand = self.errands.remove(at);
        let key = key_of(&errand).unwrap().clone();
        if self.machine.session(&key.id).is_none_or(|s| s.key() != &key) {
            self.sights.late_answers += 1;
        }
        if fate != Fate::Failed {
            self.apply(&errand);
        }
        let done = fate == Fate::Done;
        let event = match errand {
            Action::Write(record) => {
                let ledger = self.ledgers.entry(key.clone()).or_default();
                if matches!(record.stage, Stage::Revoking(_)) {
                    ledger.intent_reported = true;
                    ledger.intent_on_disk |= done;
                }
                Event::Written { key, done }
            }
            Action::Archive(_) => {
                self.ledgers.entry(key.clone()).or_default().archived |= done;
                Event::Archived { key, done }
            }
            Action::Remove(_) => Event::Removed { key, done },
            Action::Store(_) => Event::Stored { key, done },
            Action::Delete(_) => {
                self.ledgers.entry(key.clone()).or_default().deleted |= done;
                Event::Deleted { key, done }
            }
            Action::Fetch(_) => Event::Fetched { found: self.fetch(&key, fate), key },
            Action::Attempt(_) => Event::Answered { verdict: self.serve(&key, reply), key },
            other => panic!("not an errand: {other:?}"),
        };
        self.event(event);
    }

    fn fetch(&mut self, key: &Key, fate: Fate) -> Found {
        match fate {
            Fate::Failed => return Found::Unreachable,
            // A store that swears that it is all there, and has it again later.
            Fate::DoneButReportedFailed => {
                self.hidden.insert(key.clone());
                return Found::Nowhere;
            }
            Fate::Done if self.keyring.get(&key.id) != Some(key) => return Found::Nowhere,
            Fate::Done => {}
        }
        self.memory.insert(key.clone());
        Found::Here
    }

    fn serve(&mut self, key: &Key, reply: Reply) -> Verdict {
        let unconfirmed = |retry_after| Verdict::Unconfirmed { error: "down".into(), retry_after };
        match reply {
            Reply::Down => unconfirmed(None),
            Reply::Throttled => unconfirmed(Some(Duration::from_secs(7))),
            Reply::Lost => {
                self.alive.remove(key);
                unconfirmed(None)
            }
            Reply::Revoked => {
                let outcome =
                    if self.alive.remove(key) { Outcome::Revoked } else { Outcome::AlreadyInvalid };
                self.ledgers.entry(key.clone()).or_default().confirmed = true;
                self.sights.confirmed += 1;
                Verdict::Dead { outcome, evidence: "200".into() }
            }
        }
    }

    fn apply(&mut self, errand: &Action) {
        match errand {
            Action::Write(record) => {
                self.disk.insert(record.key.id.clone(), record.clone());
            }
            Action::Remove(key) => {
                self.disk.remove(&key.id);
            }
            Action::Store(key) => {
                self.keyring.insert(key.id.clone(), key.clone());
            }
            Action::Delete(key) => {
                self.keyring.remove(&key.id);
            }
            _ => {}
        }
    }

    /// The daemon dies; each errand that was out may or may not have been carried out. The next one
    /// starts from what is on disk and in the keyring.
    pub(crate) fn crash(&mut self, fates: &[bool], reboot: bool) {
        self.sights.crashes += 1;
        let errands = std::mem::take(&mut self.errands);
        for (errand, carried_out) in errands.iter().zip(fates.iter().cycle()) {
            match errand {
                Action::Attempt(key) if *carried_out => {
                    self.alive.remove(key);
                }
                other if *carried_out => self.apply(other),
                _ => {}
            }
        }
        self.machine = new_machine();
        self.memory.clear();
        for ledger in self.ledgers.values_mut() {
            ledger.intent_reported = false;
            ledger.archived = false;
            ledger.deleted = false;
            // What only the dead daemon knew: an end that had not reached the disk.
            ledger.doomed = false;
            ledger.confirmed = false;
        }
        if reboot {
            self.now.since_boot = 5_000;
        }
        for record in self.disk.values() {
            let ledger = self.ledgers.entry(record.key.clone()).or_default();
            match record.stage {
                Stage::Revoking(_) => {
                    ledger.doomed = true;
                    ledger.intent_reported = true;
                    ledger.intent_on_disk = true;
                }
                Stage::Ended(_) => ledger.confirmed = true,
                // What was forgotten from memory alone is remembered again.
                Stage::Adding | Stage::Active => ledger.forgotten = false,
            }
        }
        for (key, ledger) in &mut self.ledgers {
            let on_disk = self.disk.get(&key.id).is_some_and(|record| record.key == *key);
            if !on_disk {
                // Ended, cleared up and gone; or never acknowledged.
                assert!(!ledger.acknowledged || !self.keyring.values().any(|k| k == key));
                ledger.acknowledged = false;
            }
        }
        for record in self.disk.values().cloned().collect::<Vec<_>>() {
            self.feed(Event::Restore { record, same_boot: !reboot });
        }
        let orphans: Vec<Key> =
            self.keyring.values().filter(|k| !self.disk.contains_key(&k.id)).cloned().collect();
        for key in orphans {
            self.memory.insert(key.clone());
            let about = about(slot_of(&key), NEVER);
            self.feed(Event::Orphan { key, about });
        }
        self.check(&"the restart");
        self.rename_free_slots();
    }

    /// All faults end, and everybody logs out: then nothing may be left, anywhere.
    pub(crate) fn heal(&mut self) {
        self.event(Event::Stop { keep: false });
        for _ in 0..2_000 {
            while !self.errands.is_empty() {
                self.answer(0, Fate::Done, Reply::Revoked);
            }
            if self.machine.sessions().next().is_none() {
                break;
            }
            self.give_up_the_lost();
            self.wait(31_000);
        }
        assert!(self.machine.at_rest(), "left: {:?}", self.machine.sessions().collect::<Vec<_>>());
        assert!(self.machine.sessions().next().is_none());
        assert!(self.disk.is_empty() && self.memory.is_empty());
        // A half-stored secret that the store denied to have when a crash had to be cleared up is
        // an orphan, and the next daemon's.
        let orphan = |key: &Key| self.hidden.contains(key) && !self.ledgers[key].acknowledged;
        assert!(self.keyring.values().all(orphan));
        for key in &self.alive {
            let ledger = &self.ledgers[key];
            assert!(!ledger.acknowledged || ledger.forgotten, "{key} lives on, unknown");
        }
    }

    /// Those that a store denied to have are found again. Beyond them only a token that never got as
    /// far as the keyring may be lost: the disk failed before, and the daemon died while it was
    /// revoking it from memory.
    fn give_up_the_lost(&mut self) {
        let lost: Vec<Key> = self
            .machine
            .sessions()
            .filter(|session| session.phase() == Phase::Lost)
            .map(|session| session.key().clone())
            .collect();
        for key in lost {
            if self.keyring.get(&key.id) == Some(&key) {
                self.event(Event::Retry { id: key.id });
            } else {
                assert!(!self.ledgers[&key].acknowledged, "{key} is called lost");
                self.forget(slot_of(&key));
            }
        }
    }
}

pub(crate) const NEVER: Limits = Limits { idle: None, lifetime: None };

fn new_machine() -> Machine {
    let policy = Policy {
        retry_initial: Duration::from_secs(1),
        retry_max: Duration::from_secs(300),
        concurrency: CONCURRENCY,
    };
    Machine::new(policy, 42)
}

pub(crate) fn about(slot: u64, limits: Limits) -> Arc<About> {
    let url = format!("https://host{}/aveksa/command.submit", slot % 2);
    Arc::new(About {
        instance: format!("instance{slot}"),
        username: None,
        origin: Origin { url, ca_file: None, format: "json".into() },
        keyring: "test".into(),
        limits,
    })
}

pub(crate) fn slot_of(key: &Key) -> u64 {
    u64::from_str_radix(key.id.as_str(), 16).unwrap() & 0xff
}

pub(crate) fn key_of(action: &Action) -> Option<&Key> {
    match action {
        Action::Write(record) | Action::Archive(record) => Some(&record.key),
        Action::Remove(key)
        | Action::Store(key)
        | Action::Fetch(key)
        | Action::Delete(key)
        | Action::Attempt(key)
        | Action::Acknowledge(key)
        | Action::Reject(key, _)
        | Action::Lend(key)
        | Action::Wipe(key) => Some(key),
        Action::Deny(_) => None,
    }
}
