//! Disk, keyring and server around one machine after another. `rules` checks each rule of the
//! guarantee as the machine acts; `faults` plays what answers and dies; `healing` ends all faults.

mod faults;
mod healing;
mod rules;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use securid_session::{
    About, Action, Event, Key, Limits, Machine, Moment, Origin, Phase, Policy, Record, SessionId,
    Source,
};

pub(crate) use faults::{Fate, Reply};
pub(crate) use rules::Ledger;

/// How the house is set up; it never changes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setting {
    pub(crate) policy: Policy,
    pub(crate) seed: u64,
    /// How many names there are: few, so that they are used again while answers about their old
    /// tokens are still out.
    pub(crate) slots: u64,
    /// How many servers the slots are spread over.
    pub(crate) origins: u64,
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
    pub(crate) orphans: u32,
    pub(crate) limited: u32,
    pub(crate) hurried: u32,
    pub(crate) rests: u32,
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
        self.orphans += more.orphans;
        self.limited += more.limited;
        self.hurried += more.hurried;
        self.rests += more.rests;
    }
}

#[derive(Clone)]
pub(crate) struct World {
    setting: Setting,
    /// The config's, which may be another than at the beginning.
    pub(crate) policy: Policy,
    pub(crate) machine: Machine,
    pub(crate) now: Moment,
    pub(crate) disk: BTreeMap<SessionId, Record>,
    /// Whose records were written before the last reboot.
    pub(crate) of_earlier_boot: BTreeSet<SessionId>,
    pub(crate) keyring: BTreeMap<SessionId, Key>,
    pub(crate) memory: BTreeSet<Key>,
    pub(crate) alive: BTreeSet<Key>,
    /// What is out, ordered by place and key: any of them may be answered next.
    pub(crate) errands: Vec<Action>,
    /// What a store once denied to have.
    pub(crate) hidden: BTreeSet<Key>,
    pub(crate) ledgers: BTreeMap<Key, Ledger>,
    /// Whether the daemon stops, and whether it keeps sessions then.
    pub(crate) stopping: Option<bool>,
    pub(crate) sights: Sights,
}

/// The clock at the first start. High, so that each reboot can set it back.
const FIRST_BOOT: u64 = 1 << 60;

/// How far a reboot sets the clock back: what was written before it lies so far ahead.
pub(crate) const BOOT: u64 = 1 << 40;

/// Never ends by itself.
pub(crate) const NEVER: Limits = Limits { idle: None, lifetime: None };

/// Where an errand is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    Disk,
    Keyring,
    Server,
}

impl World {
    pub(crate) fn new(setting: Setting) -> Self {
        Self {
            setting,
            policy: setting.policy,
            machine: Machine::new(setting.policy, setting.seed),
            now: Moment { since_boot: FIRST_BOOT, unix: 1_800_000_000_000 },
            disk: BTreeMap::new(),
            of_earlier_boot: BTreeSet::new(),
            keyring: BTreeMap::new(),
            memory: BTreeSet::new(),
            alive: BTreeSet::new(),
            errands: Vec::new(),
            hidden: BTreeSet::new(),
            ledgers: BTreeMap::new(),
            stopping: None,
            sights: Sights::default(),
        }
    }

    /// Whether a new session may have this name; the daemon draws names until one is free. (It
    /// cannot look into the keyring for that, but its names are random, and those here are few.)
    pub(crate) fn is_free(&self, id: &SessionId) -> bool {
        self.machine.session(id).is_none()
            && !self.disk.contains_key(id)
            && !self.keyring.contains_key(id)
    }

    pub(crate) fn add(&mut self, slot: u64, source: Source, limits: Limits) {
        let id = id(slot);
        if !self.is_free(&id) {
            return;
        }
        let key = self.machine.next_key(id.clone());
        let handed_over = source == Source::Handover;
        self.ledgers.insert(key.clone(), Ledger { handed_over, ..Ledger::default() });
        self.memory.insert(key.clone());
        self.alive.insert(key);
        self.event(Event::Add { id, about: self.about(slot, limits), source });
    }

    pub(crate) fn release(&mut self, slot: u64) {
        if let Some(key) = self.key(slot) {
            self.event(Event::Release { key });
        }
    }

    pub(crate) fn abandon(&mut self, slot: u64) {
        if let Some(key) = self.key(slot) {
            self.event(Event::Abandon { key });
        }
    }

    /// Of several wishes, to revoke wins; the daemon sees to that.
    pub(crate) fn stop(&mut self, keep: bool) {
        let keep = keep && self.stopping != Some(false);
        self.stopping = Some(keep);
        self.event(Event::Stop { keep });
    }

    /// The config is read anew.
    pub(crate) fn set_policy(&mut self, policy: Policy) {
        self.policy = policy;
        self.event(Event::Policy(policy));
    }

    /// Another network.
    pub(crate) fn change_network(&mut self) {
        let before = self.waiting();
        self.event(Event::NetworkChanged);
        self.check_change(&before);
    }

    /// The store is searched, and a secret without a record is found.
    pub(crate) fn find_orphan(&mut self, slot: u64) {
        let id = id(slot);
        if self.machine.session(&id).is_none()
            && let Some(key) = self.keyring.get(&id).cloned()
        {
            self.sights.orphans += 1;
            self.memory.insert(key.clone());
            self.event(Event::Orphan { key, about: self.about(slot, NEVER) });
        }
    }

    pub(crate) fn find_orphans(&mut self) {
        for slot in 0..self.setting.slots {
            self.find_orphan(slot);
        }
    }

    /// Time passes until the alarm rings.
    pub(crate) fn wake(&mut self) {
        if let Some(at) = self.machine.wakes_at() {
            self.sleep(at.saturating_sub(self.now.since_boot));
            self.event(Event::Tick);
        }
    }

    /// Time passes while the alarm cannot ring: the next event finds it late.
    pub(crate) fn sleep(&mut self, ms: u64) {
        self.now = self.now.after(Duration::from_millis(ms));
    }

    pub(crate) fn event(&mut self, event: Event) {
        self.feed(event);
        self.check();
        self.bury();
    }

    fn feed(&mut self, event: Event) {
        self.note_overdue();
        self.note_forgotten(&event);
        let told = self.told_to_end(&event);
        if let Event::Retry { id } = &event
            && let Some(session) = self.machine.session(id)
        {
            self.ledgers.entry(session.key().clone()).or_default().unreached = false;
        }
        let other = self.of_another_token(&event);
        let actions = self.machine.handle(self.now, event);
        if let Some(other) = other {
            // (A slot that has become free may be given to it.)
            let attempted = actions.contains(&Action::Attempt(other.key().clone()));
            assert!(attempted || self.machine.session(other.id()) == Some(&other), "{other:?}");
        }
        for action in actions {
            self.watch(&action);
            match place_of(&action) {
                Some(_) => {
                    let rank = (place_of(&action), key_of(&action));
                    let at = self.errands.partition_point(|e| (place_of(e), key_of(e)) < rank);
                    self.errands.insert(at, action);
                }
                None => {
                    if let Action::Wipe(key) = action {
                        self.memory.remove(&key);
                    }
                }
            }
        }
        for key in told {
            self.ledger(&key).asked = true;
        }
    }

    /// The token in that slot.
    pub(crate) fn key(&self, slot: u64) -> Option<Key> {
        self.machine.session(&id(slot)).map(|session| session.key().clone())
    }

    pub(crate) fn phase(&self, key: &Key) -> Option<Phase> {
        let session = self.machine.session(&key.id).filter(|session| session.key() == key);
        session.map(securid_session::Session::phase)
    }

    fn ledger(&mut self, key: &Key) -> &mut Ledger {
        self.ledgers.entry(key.clone()).or_default()
    }

    fn about(&self, slot: u64, limits: Limits) -> Arc<About> {
        let server = slot % self.setting.origins;
        Arc::new(About {
            instance: "i".into(),
            username: None,
            origin: Origin {
                url: format!("https://{server}"),
                ca_file: None,
                format: "json".into(),
            },
            keyring: "test".into(),
            limits,
        })
    }
}

pub(crate) fn id(slot: u64) -> SessionId {
    SessionId::from_bits(slot)
}

pub(crate) fn slot_of(key: &Key) -> u64 {
    u64::from_str_radix(key.id.as_str(), 16).unwrap()
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

/// Where it is done, if it is an errand.
pub(crate) fn place_of(action: &Action) -> Option<Place> {
    match action {
        Action::Write(_) | Action::Archive(_) | Action::Remove(_) => Some(Place::Disk),
        Action::Store(_) | Action::Fetch(_) | Action::Delete(_) => Some(Place::Keyring),
        Action::Attempt(_) => Some(Place::Server),
        Action::Acknowledge(_)
        | Action::Reject(..)
        | Action::Lend(_)
        | Action::Deny(_)
        | Action::Wipe(_) => None,
    }
}
