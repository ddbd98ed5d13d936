//! The rules of the guarantee: what each action, and every moment, must keep.

use securid_session::{Action, Moment, Phase, Reason, Stage};

use crate::world::{CONCURRENCY, NEVER, World, about, key_of, slot_of};

/// What was seen of one token.
#[derive(Debug, Default, Clone)]
pub(crate) struct Ledger {
    pub(crate) acknowledged: bool,
    /// Its end was asked for, by whatever.
    pub(crate) doomed: bool,
    /// The machine was told how the writing of the intent went, in its present life.
    pub(crate) intent_reported: bool,
    pub(crate) intent_on_disk: bool,
    pub(crate) confirmed: bool,
    pub(crate) forgotten: bool,
    pub(crate) deleted: bool,
    pub(crate) archived: bool,
}

impl World {
    /// The rules that speak of a single action.
    pub(crate) fn watch(&mut self, action: &Action) {
        if let Action::Write(record) = action {
            let first = !self.ledgers.contains_key(&record.key);
            let ledger = self.ledgers.entry(record.key.clone()).or_default();
            if first && record.stage == Stage::Adding {
                self.memory.insert(record.key.clone());
                self.alive.insert(record.key.clone());
            }
            match &record.stage {
                Stage::Revoking(revocation) => {
                    if matches!(revocation.reason, Reason::Idle | Reason::Lifetime)
                        && !ledger.doomed
                    {
                        self.sights.expired += 1;
                    }
                    ledger.doomed = true;
                }
                Stage::Ended(_) => assert!(ledger.confirmed || ledger.forgotten, "ended unasked"),
                Stage::Active => {
                    assert!(!ledger.doomed, "a doomed record went back to active");
                    // (Of one that was rejected when the disk failed, a crash may leave `active`.)
                    let session = self.machine.session(&record.key.id).unwrap();
                    if ledger.acknowledged || session.phase() == Phase::Adding {
                        assert_eq!(self.keyring.get(&record.key.id), Some(&record.key));
                    }
                }
                Stage::Adding => {}
            }
        }
        let Some(key) = key_of(action) else { return };
        let ledger = self.ledgers.entry(key.clone()).or_default();
        let same = |other: &&Action| {
            key_of(other) == Some(key)
                && std::mem::discriminant(*other) == std::mem::discriminant(action)
        };
        assert!(!self.errands.iter().any(|other| same(&other)), "asked twice at once: {action:?}");
        match action {
            Action::Acknowledge(_) => {
                assert!(matches!(self.disk[&key.id].stage, Stage::Active));
                assert_eq!(self.keyring.get(&key.id), Some(key));
                ledger.acknowledged = true;
                self.sights.acknowledged += 1;
            }
            Action::Reject(..) => {
                assert!(!ledger.acknowledged, "rejected after it was acknowledged");
                self.sights.rejected += 1;
            }
            Action::Lend(_) => {
                assert!(!ledger.doomed, "lent after its revocation began");
                assert!(self.memory.contains(key), "lent, but it is not in memory");
                self.sights.lent += 1;
            }
            Action::Attempt(_) => {
                assert!(ledger.intent_reported, "attempted before the intent was settled");
                assert!(self.memory.contains(key), "attempted, but it is not in memory");
                let origin = &self.machine.session(&key.id).unwrap().about().origin;
                let there = |other: &&Action| matches!(other, Action::Attempt(k) if about(slot_of(k), NEVER).origin == *origin);
                assert!(self.errands.iter().filter(there).count() < CONCURRENCY);
                if !ledger.intent_on_disk {
                    self.sights.attempts_from_memory += 1;
                }
            }
            Action::Delete(_) => {
                assert!(!ledger.deleted, "deleted twice");
                assert!(!ledger.acknowledged || ledger.confirmed || ledger.forgotten);
                if ledger.acknowledged {
                    assert!(matches!(self.disk[&key.id].stage, Stage::Ended(_)));
                }
            }
            Action::Archive(_) => assert!(!ledger.archived, "archived twice"),
            Action::Remove(_) if ledger.acknowledged => assert!(ledger.deleted && ledger.archived),
            _ => {}
        }
    }

    /// The rules that hold at every moment.
    pub(crate) fn check(&self, after: &dyn std::fmt::Debug) {
        for (key, ledger) in &self.ledgers {
            if !ledger.acknowledged || ledger.confirmed || ledger.forgotten {
                continue;
            }
            let session = self.machine.session(&key.id).expect("an acknowledged session is gone");
            assert_eq!(session.key(), key, "another token has its name, after {after:?}");
            let phase = session.phase();
            assert!(
                matches!(phase, Phase::Active | Phase::Revoking)
                    || (phase == Phase::Lost && self.hidden.contains(key)),
                "{phase:?} after {after:?}"
            );
        }
        for session in self.machine.sessions() {
            if session.phase() == Phase::Active {
                let missed = |at: Option<Moment>| at.is_some_and(|at| at.reached(self.now));
                assert!(!missed(session.idle_deadline()) && !missed(session.expires_at()));
            }
        }
        assert!(
            self.machine.wakes_at().is_none_or(|at| at > self.now.since_boot),
            "wants to be woken in the past, after {after:?}"
        );
    }
}
