//! What becomes of errands, and how a daemon dies.

use std::time::Duration;

use securid_session::{Action, Event, Found, Key, Machine, Outcome, Stage, Verdict};

use super::rules::Ledger;
use super::{BOOT, Place, World, key_of, place_of};

/// What becomes of an errand to disk or keyring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Done,
    Failed,
    /// Of a secret that is asked for: the store denies to have it.
    DoneButReportedFailed,
}

/// What the server does with an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reply {
    /// Carried out, or dead already.
    Revoked,
    Down,
    /// Nobody gets there.
    Unreached,
    Throttled,
    /// Carried out, but the reply does not reach us.
    Lost,
}

/// The `Retry-After` of a server that wants to be left alone: between the first waits of an errand
/// that failed and its longest.
const RETRY_AFTER: Duration = Duration::from_secs(7);

impl World {
    /// Answers the errand at this place in the list.
    pub(crate) fn answer(&mut self, at: usize, fate: Fate, reply: Reply) {
        let errand = self.errands.remove(at);
        let key = key_of(&errand).unwrap().clone();
        if self.phase(&key).is_none() {
            self.sights.late_answers += 1;
        }
        if fate != Fate::Failed {
            self.apply(&errand);
        }
        let event = self.outcome(errand, key, fate, reply);
        self.event(event);
    }

    /// What the machine is told of it.
    fn outcome(&mut self, errand: Action, key: Key, fate: Fate, reply: Reply) -> Event {
        let done = fate == Fate::Done;
        let failed = match errand {
            Action::Fetch(_) => fate == Fate::Failed,
            _ => !done,
        };
        let place = place_of(&errand);
        let ledger = self.ledger(&key);
        match place {
            Some(Place::Disk) => ledger.disk_failed = failed,
            Some(Place::Keyring) => ledger.keyring_failed = failed,
            _ => {}
        }
        match errand {
            Action::Write(record) => {
                match record.stage {
                    Stage::Adding => ledger.announced |= done,
                    Stage::Active => ledger.activated |= done,
                    Stage::Revoking(_) => {
                        ledger.intent_reported = true;
                        ledger.intent_durable |= done;
                    }
                    Stage::Ended(_) => ledger.ended |= done,
                }
                Event::Written { key, done }
            }
            Action::Archive(_) => {
                ledger.archived |= done;
                Event::Archived { key, done }
            }
            Action::Remove(_) => Event::Removed { key, done },
            Action::Store(_) => {
                ledger.stored |= done;
                Event::Stored { key, done }
            }
            Action::Delete(_) => {
                ledger.deleted |= done;
                Event::Deleted { key, done }
            }
            Action::Fetch(_) => Event::Fetched { found: self.fetch(&key, fate), key },
            Action::Attempt(_) => Event::Answered { verdict: self.serve(&key, reply), key },
            other => panic!("not an errand: {other:?}"),
        }
    }

    fn fetch(&mut self, key: &Key, fate: Fate) -> Found {
        if fate == Fate::Failed {
            return Found::Unreachable;
        }
        if self.keyring.get(&key.id) != Some(key) {
            return Found::Nowhere;
        }
        if fate == Fate::DoneButReportedFailed {
            // It swears that it has no such thing, and has it again later.
            self.hidden.insert(key.clone());
            return Found::Nowhere;
        }
        self.hidden.remove(key);
        self.memory.insert(key.clone());
        Found::Here
    }

    fn serve(&mut self, key: &Key, reply: Reply) -> Verdict {
        self.ledger(key).unreached = reply == Reply::Unreached;
        let unconfirmed = |retry_after| Verdict::Unconfirmed { error: "down".into(), retry_after };
        match reply {
            Reply::Down => unconfirmed(None),
            Reply::Unreached => Verdict::Unreached { error: "no route".into() },
            Reply::Throttled => unconfirmed(Some(RETRY_AFTER)),
            Reply::Lost => {
                self.alive.remove(key);
                unconfirmed(None)
            }
            Reply::Revoked => {
                let revoked = self.alive.remove(key);
                let outcome = if revoked { Outcome::Revoked } else { Outcome::AlreadyInvalid };
                self.ledger(key).confirmed = true;
                self.sights.confirmed += 1;
                Verdict::Dead { outcome, evidence: "200".into() }
            }
        }
    }

    fn apply(&mut self, errand: &Action) {
        match errand {
            Action::Write(record) => {
                self.of_earlier_boot.remove(&record.key.id);
                self.disk.insert(record.key.id.clone(), record.clone());
            }
            Action::Remove(key) => {
                self.of_earlier_boot.remove(&key.id);
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

    /// The daemon dies; of the errands that were out, those whose bits are set were carried out.
    /// The next daemon starts from what is on disk.
    pub(crate) fn crash(&mut self, carried_out: u32, reboot: bool) {
        self.sights.crashes += 1;
        for (nth, errand) in std::mem::take(&mut self.errands).iter().enumerate() {
            match errand {
                _ if carried_out >> nth & 1 == 0 => {}
                Action::Attempt(key) => {
                    self.alive.remove(key);
                }
                other => self.apply(other),
            }
        }
        self.machine = Machine::new(self.policy, self.setting.seed);
        self.memory.clear();
        self.stopping = None;
        if reboot {
            self.now.since_boot -= BOOT;
            self.of_earlier_boot.extend(self.disk.keys().cloned());
        }
        self.remember_what_lasts();
        self.bury();
        for record in self.disk.values().cloned().collect::<Vec<_>>() {
            let same_boot = !self.of_earlier_boot.contains(&record.key.id);
            self.feed(Event::Restore { record, same_boot });
        }
        self.check();
        self.bury();
    }

    /// What only the dead daemon knew is known no more.
    fn remember_what_lasts(&mut self) {
        for (key, ledger) in &mut self.ledgers {
            let record = self.disk.get(&key.id).filter(|record| record.key == *key);
            let stage = record.map(|record| &record.stage);
            let forgotten = ledger.forgotten;
            if ledger.acknowledged && !forgotten {
                let alive = self.alive.contains(key);
                assert!(stage.is_some() || !alive, "{key} lives on, unknown");
                assert_ne!(
                    stage,
                    Some(&Stage::Adding),
                    "{key} would be taken for a half-added one"
                );
            }
            if ledger.intent_durable {
                assert!(!matches!(stage, Some(Stage::Adding | Stage::Active)), "intent undone");
            }
            let stored = self.keyring.get(&key.id) == Some(key);
            *ledger = Ledger {
                handed_over: ledger.handed_over,
                acknowledged: ledger.acknowledged,
                excused: ledger.excused || (!ledger.acknowledged && !stored),
                ..Ledger::default()
            };
            match stage {
                None => ledger.forgotten = forgotten,
                Some(Stage::Adding) => ledger.asked = true,
                Some(Stage::Active) => ledger.asked = self.of_earlier_boot.contains(&key.id),
                Some(Stage::Revoking(_)) => {
                    ledger.asked = true;
                    ledger.intent_reported = true;
                    ledger.intent_durable = true;
                }
                Some(Stage::Ended(ending)) => {
                    ledger.asked = true;
                    ledger.ended = true;
                    ledger.forgotten = ending.outcome == Outcome::Forgotten;
                    ledger.confirmed = !ledger.forgotten;
                }
            }
        }
    }
}
