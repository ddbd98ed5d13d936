//! A machine whose errands are done at once, but for attempts, which the test answers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use securid_session::{
    About, Action, Denial, Ending, Event, Found, Generation, Key, Limits, Machine, Moment, Origin,
    Outcome, Pending, Phase, Policy, Reason, Record, SessionId, Source, Stage, Verdict,
};

pub(crate) struct House {
    pub(crate) machine: Machine,
    pub(crate) obedient: bool,
    pub(crate) disk_works: bool,
    pub(crate) keyring_says: Found,
    pub(crate) writes: usize,
    pub(crate) history: Vec<Record>,
    now: Moment,
    disk: BTreeMap<SessionId, Record>,
    attempts: Vec<Key>,
}

impl House {
    pub(crate) fn new() -> Self {
        Self {
            machine: machine(),
            obedient: true,
            disk_works: true,
            keyring_says: Found::Here,
            writes: 0,
            history: Vec::new(),
            now: Moment { since_boot: 10_000, unix: 1_800_000_000_000 },
            disk: BTreeMap::new(),
            attempts: Vec::new(),
        }
    }

    pub(crate) fn adding(&self, slot: u64) -> Event {
        Event::Add { id: id(slot), about: about(slot), source: Source::Handover }
    }

    pub(crate) fn login(&self, slot: u64) -> Event {
        Event::Add { id: id(slot), about: about(slot), source: Source::Login }
    }

    pub(crate) fn orphan(&self, slot: u64) -> Event {
        Event::Orphan { key: key(slot, 1), about: about(slot) }
    }

    pub(crate) fn add(&mut self, slot: u64) {
        let actions = self.event(self.adding(slot));
        assert!(actions.iter().any(|a| matches!(a, Action::Acknowledge(_))), "{actions:?}");
    }

    pub(crate) fn revoke(&mut self, slot: u64) -> Vec<Action> {
        self.event(Event::Revoke { id: id(slot), reason: Reason::Request })
    }

    /// Everything that followed, the errands that were done meanwhile included.
    pub(crate) fn event(&mut self, event: Event) -> Vec<Action> {
        let mut actions = self.machine.handle(self.now, event);
        let mut done = 0;
        while let Some(action) = actions.get(done).cloned() {
            done += 1;
            if let Some(answer) = self.carry_out(action) {
                actions.extend(self.machine.handle(self.now, answer));
            }
        }
        actions
    }

    fn carry_out(&mut self, action: Action) -> Option<Event> {
        if let Action::Attempt(key) = action {
            self.attempts.push(key);
            return None;
        }
        if !self.obedient {
            return None;
        }
        let done = self.disk_works;
        match action {
            Action::Write(record) => {
                self.writes += 1;
                let key = record.key.clone();
                if done {
                    self.disk.insert(key.id.clone(), record);
                }
                Some(Event::Written { key, done })
            }
            Action::Archive(record) => {
                let key = record.key.clone();
                self.history.push(record);
                Some(Event::Archived { key, done })
            }
            Action::Remove(key) => {
                self.disk.remove(&key.id);
                Some(Event::Removed { key, done })
            }
            Action::Store(key) => Some(Event::Stored { key, done: true }),
            Action::Delete(key) => Some(Event::Deleted { key, done: true }),
            Action::Fetch(key) => Some(Event::Fetched { key, found: self.keyring_says }),
            _ => None,
        }
    }

    pub(crate) fn answer(&mut self, slot: u64, verdict: Verdict) {
        let at = self.attempts.iter().position(|key| key.id == id(slot)).expect("no attempt out");
        let key = self.attempts.remove(at);
        let _ = self.event(Event::Answered { key, verdict });
    }

    /// The slot of some attempt that is out.
    pub(crate) fn an_attempt(&self, which: impl Fn(u64) -> bool) -> u64 {
        let slot = |key: &Key| u64::from_str_radix(key.id.as_str(), 16).unwrap();
        self.attempts.iter().map(slot).find(|&s| which(s)).expect("no such attempt out")
    }

    pub(crate) fn attempts_out(&self) -> usize {
        self.attempts.len()
    }

    pub(crate) fn is_attempted(&self, slot: u64) -> bool {
        self.attempts.iter().any(|key| key.id == id(slot))
    }

    /// Somebody sets the wall clock, so many milliseconds forward or back.
    pub(crate) fn set_wall_clock(&mut self, by: i64) {
        self.now.unix += by;
    }

    /// Time passes, and the timer fires whenever it was asked to.
    pub(crate) fn wait(&mut self, span: Duration) {
        let end = self.now.after(span);
        while let Some(at) = self.machine.wakes_at().filter(|&at| at <= end.since_boot) {
            self.now = self.now.after(Duration::from_millis(at - self.now.since_boot));
            let _ = self.event(Event::Tick);
        }
        self.now = end;
    }

    /// Time passes while the machine sleeps: no timer fires.
    pub(crate) fn sleep(&mut self, span: Duration) {
        self.now = self.now.after(span);
    }

    /// `kill -9`, and a new daemon so much later.
    pub(crate) fn die(&mut self, later: Duration) {
        self.sleep(later);
        self.start(true);
    }

    pub(crate) fn reboot(&mut self) {
        self.now.since_boot = 5_000;
        self.start(false);
    }

    fn start(&mut self, same_boot: bool) {
        self.machine = machine();
        self.attempts.clear();
        for record in self.disk.values().cloned().collect::<Vec<_>>() {
            let _ = self.event(Event::Restore { record, same_boot });
        }
    }

    pub(crate) fn exists(&self, slot: u64) -> bool {
        self.machine.session(&id(slot)).is_some()
    }

    pub(crate) fn phase(&self, slot: u64) -> Phase {
        self.machine.session(&id(slot)).expect("it is gone").phase()
    }

    pub(crate) fn pending(&self, slot: u64) -> Pending<'_> {
        self.machine.session(&id(slot)).unwrap().pending().expect("nothing is pending")
    }

    /// How the last session that ended did so.
    pub(crate) fn last_ending(&self) -> &Ending {
        match &self.history.last().expect("nothing has ended").stage {
            Stage::Ended(ending) => ending,
            other => panic!("archived while {other:?}"),
        }
    }

    /// How long it waits yet until it is tried.
    pub(crate) fn wait_of(&self, slot: u64) -> Duration {
        self.pending(slot).next_attempt.expect("an attempt is out").since(self.now)
    }

    pub(crate) fn reason(&self, slot: u64) -> Reason {
        self.pending(slot).revocation.reason
    }
}

pub(crate) fn refused(house: &mut House, slot: u64) -> Denial {
    let actions = house.event(Event::Lend { id: id(slot), span: None });
    let denial = actions.iter().find_map(|action| match action {
        Action::Deny(denial) => Some(*denial),
        _ => None,
    });
    denial.unwrap_or_else(|| panic!("not denied: {actions:?}"))
}

pub(crate) fn dead() -> Verdict {
    Verdict::Dead { outcome: Outcome::Revoked, evidence: "200 type=logoutUser".into() }
}

pub(crate) fn unconfirmed(retry_after: Option<Duration>) -> Verdict {
    Verdict::Unconfirmed { error: "503".into(), retry_after }
}

pub(crate) fn unreached() -> Verdict {
    Verdict::Unreached { error: "no route".into() }
}

pub(crate) fn id(slot: u64) -> SessionId {
    SessionId::from_bits(slot)
}

pub(crate) fn key(slot: u64, generation: u64) -> Key {
    Key { id: id(slot), generation: Generation(generation) }
}

fn about(slot: u64) -> Arc<About> {
    Arc::new(About {
        instance: "prod".into(),
        username: None,
        origin: Origin {
            url: format!("https://host{}/aveksa/command.submit", slot % 2),
            ca_file: None,
            format: "json".into(),
        },
        keyring: "test".into(),
        limits: Limits {
            idle: Some(Duration::from_secs(15 * 60)),
            lifetime: Some(Duration::from_secs(8 * 60 * 60)),
        },
    })
}

fn machine() -> Machine {
    let policy = Policy {
        retry_initial: Duration::from_secs(1),
        retry_max: Duration::from_secs(300),
        concurrency: 4,
    };
    Machine::new(policy, 7)
}
