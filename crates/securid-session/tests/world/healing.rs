//! All faults end, and what was asked for must come.

use securid_session::{Event, Key, Phase};

use super::{Fate, Reply, World, slot_of};

/// So often the alarm may ring until all is done. A session that failed everywhere needs fewer than
/// ten; there are four at most.
const PATIENCE: usize = 200;

impl World {
    /// All faults end: whatever was to end does so by itself, then all else when the daemon stops.
    pub(crate) fn heal(&mut self) {
        self.settle();
        for (key, ledger) in &self.ledgers {
            let held = !ledger.asked && self.phase(key) == Some(Phase::Active);
            assert!(held, "{key} is still {:?}: {ledger:?}", self.phase(key));
        }
        self.stop(false);
        self.settle();
        assert!(self.machine.at_rest(), "left: {:?}", self.machine.sessions().collect::<Vec<_>>());
        assert!(self.machine.sessions().next().is_none());
        assert!(self.disk.is_empty() && self.keyring.is_empty() && self.memory.is_empty());
        assert!(self.alive.is_empty() && self.ledgers.is_empty());
    }

    fn settle(&mut self) {
        for _ in 0..PATIENCE {
            while !self.errands.is_empty() {
                self.answer(0, Fate::Done, Reply::Revoked);
            }
            self.find_orphans();
            self.look_for_the_lost();
            if self.errands.is_empty() {
                if self.machine.wakes_at().is_none() {
                    return;
                }
                self.wake();
            }
        }
        panic!("not settled: {:?}", self.machine.sessions().collect::<Vec<_>>());
    }

    /// Those that a store denied to have are found again. Beyond them only a token that never got as
    /// far as the keyring may be lost: the disk failed before, and the daemon died while it was
    /// revoking it from memory.
    fn look_for_the_lost(&mut self) {
        let sessions = self.machine.sessions().filter(|session| session.phase() == Phase::Lost);
        let lost: Vec<Key> = sessions.map(|session| session.key().clone()).collect();
        for key in lost {
            if self.keyring.get(&key.id) == Some(&key) {
                self.event(Event::Retry { id: key.id });
            } else {
                assert!(!self.ledgers[&key].acknowledged, "{key} is called lost");
                self.event(Event::Forget { id: super::id(slot_of(&key)) });
            }
        }
    }
}
