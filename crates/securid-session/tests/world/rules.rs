//! The rules of the guarantee: what each action, and every moment, must keep.

use std::collections::BTreeMap;

use securid_session::{Action, Event, Key, Moment, Phase, Reason, Session, Stage};

use super::{Place, World, key_of, place_of, slot_of};

/// Until a change of the network counts in any case (30 s), and what follows it is spread (10 s): ms.
const CHANGE_COUNTS_WITHIN: u64 = 40_000;

/// When it ends by itself.
fn ends(session: &Session) -> [Option<Moment>; 3] {
    [session.idle_deadline(), session.expires_at(), session.holder_due()]
}

/// What was seen of one token.
#[derive(Debug, Default, Clone, Hash)]
pub(crate) struct Ledger {
    pub(crate) handed_over: bool,
    pub(crate) acknowledged: bool,
    /// A daemon died before it was acknowledged, and its secret had not reached the keyring:
    /// nobody can revoke it then.
    pub(crate) excused: bool,
    /// Its end was asked for, by whatever.
    pub(crate) asked: bool,
    /// The last attempt did not get as far as the server, and nobody has asked for another since.
    pub(crate) unreached: bool,
    pub(crate) confirmed: bool,
    pub(crate) forgotten: bool,
    // What the machine was told, in its present life:
    pub(crate) announced: bool,
    pub(crate) stored: bool,
    pub(crate) activated: bool,
    /// How the writing of the intent went.
    pub(crate) intent_reported: bool,
    /// That the intent is on disk.
    pub(crate) intent_durable: bool,
    pub(crate) ended: bool,
    pub(crate) archived: bool,
    pub(crate) deleted: bool,
    /// Whether the last errand failed.
    pub(crate) disk_failed: bool,
    pub(crate) keyring_failed: bool,
}

impl World {
    /// Notes whose limits are reached, whatever the event is: deadlines come before answers.
    pub(crate) fn note_overdue(&mut self) {
        let reached = |at: Option<Moment>| at.is_some_and(|at| at.reached(self.now));
        for session in self.machine.sessions().filter(|s| s.phase() == Phase::Active) {
            if ends(session).into_iter().any(reached) {
                self.ledgers.entry(session.key().clone()).or_default().asked = true;
            }
        }
    }

    /// The sessions whose end this event asks for.
    pub(crate) fn told_to_end(&self, event: &Event) -> Vec<Key> {
        let told = |session: &&Session| match event {
            Event::Revoke { id, .. } => id == session.id() && session.phase() != Phase::Adding,
            Event::Abandon { key } => key == session.key(),
            Event::Stop { keep } => !keep,
            // Its last holder has gone, and not because of us.
            Event::Release { key } => {
                let last = key == session.key() && session.about().tied && session.holds() == 1;
                last && self.stopping.is_none()
            }
            _ => false,
        };
        self.machine.sessions().filter(told).map(|session| session.key().clone()).collect()
    }

    /// The session that a person gives up with this event.
    pub(crate) fn note_forgotten(&mut self, event: &Event) {
        if let Event::Forget { id } = event
            && let Some(session) = self.machine.session(id)
            && matches!(session.phase(), Phase::Revoking | Phase::Lost)
        {
            self.ledgers.entry(session.key().clone()).or_default().forgotten = true;
            self.sights.forgotten += 1;
        }
    }

    /// The attempts that wait, and until when.
    pub(crate) fn waiting(&self) -> BTreeMap<Key, Moment> {
        let sessions = self.machine.sessions().filter(|s| s.phase() == Phase::Revoking);
        let waits = sessions.filter_map(|s| Some((s.key().clone(), s.pending()?.next_attempt?)));
        waits.filter(|(_, until)| !until.reached(self.now)).collect()
    }

    /// A change of the network brings forward what did not reach its server, and nothing else.
    pub(crate) fn check_change(&mut self, before: &BTreeMap<Key, Moment>) {
        for (key, until) in self.waiting() {
            let Some(before) = before.get(&key) else { continue };
            assert!(until.since_boot <= before.since_boot, "{key} is put off");
            if self.ledgers[&key].unreached {
                let soon = self.now.since_boot + CHANGE_COUNTS_WITHIN;
                assert!(until.since_boot <= soon, "{key} is not tried soon");
                self.sights.hurried += u32::from(until.since_boot < before.since_boot);
            } else {
                assert_eq!(until, *before, "{key} was answered, and is tried sooner");
            }
        }
    }

    /// The session that has the name which an answer speaks of, but another token, as the passing of
    /// time alone would leave it: the answer may not change it.
    pub(crate) fn of_another_token(&self, event: &Event) -> Option<Session> {
        let (Event::Written { key, .. }
        | Event::Archived { key, .. }
        | Event::Removed { key, .. }
        | Event::Stored { key, .. }
        | Event::Fetched { key, .. }
        | Event::Deleted { key, .. }
        | Event::Answered { key, .. }) = event
        else {
            return None;
        };
        self.machine.session(&key.id).filter(|session| session.key() != key)?;
        let mut machine = self.machine.clone();
        let _ = machine.handle(self.now, Event::Tick);
        machine.session(&key.id).cloned()
    }

    /// The rules that speak of a single action.
    pub(crate) fn watch(&mut self, action: &Action) {
        let Some(key) = key_of(action) else { return };
        if let Some(place) = place_of(action) {
            assert!(!self.is_out(place, key), "{action:?} beside {:?}", self.errands);
        }
        let phase = self.phase(key);
        let stage = self.disk.get(&key.id).filter(|r| r.key == *key).map(|r| r.stage.clone());
        let in_keyring = self.keyring.get(&key.id) == Some(key);
        let hidden = self.hidden.contains(key);
        let in_memory = self.memory.contains(key);
        let sights = &mut self.sights;
        let ledger = self.ledgers.entry(key.clone()).or_default();
        match action {
            Action::Write(record) => match &record.stage {
                Stage::Adding => assert!(!ledger.acknowledged),
                Stage::Active => {
                    let known = self.disk.get(&key.id).filter(|known| known.key == *key);
                    if known.is_some_and(|known| known.about.limits != record.about.limits) {
                        sights.limited += 1;
                    }
                    assert!(!ledger.asked, "its end was asked for, and it goes back to active");
                    // (Of one that was rejected when the disk failed, a crash may leave `active`.)
                    if ledger.acknowledged || phase == Some(Phase::Adding) {
                        assert!(in_keyring, "active without a secret");
                    }
                    assert!(phase != Some(Phase::Adding) || ledger.stored, "active before stored");
                }
                Stage::Revoking(revocation) => {
                    if matches!(revocation.reason, Reason::Idle | Reason::Lifetime)
                        && revocation.attempts == 0
                    {
                        sights.expired += 1;
                    }
                    let deserted = revocation.reason == Reason::Abandoned && ledger.acknowledged;
                    if deserted && revocation.attempts == 0 {
                        sights.deserted += 1;
                    }
                    ledger.asked = true;
                }
                Stage::Ended(_) => assert!(ledger.confirmed || ledger.forgotten, "ended unasked"),
            },
            Action::Store(_) => assert!(ledger.announced && in_memory, "stored unannounced"),
            Action::Fetch(_) => {}
            Action::Acknowledge(_) => {
                assert!(ledger.announced && ledger.stored && ledger.activated);
                assert_eq!((stage, in_keyring), (Some(Stage::Active), true));
                assert!(!ledger.asked, "acknowledged, and its end was asked for");
                ledger.acknowledged = true;
                sights.acknowledged += 1;
            }
            Action::Reject(..) => {
                assert!(!ledger.acknowledged, "rejected after it was acknowledged");
                sights.rejected += 1;
            }
            Action::Lend(_) => {
                assert!(!ledger.asked, "lent after its revocation began");
                assert!(in_memory, "lent, but it is not in memory");
                sights.lent += 1;
            }
            Action::Attempt(_) => {
                assert!(ledger.intent_reported, "attempted before the intent was settled");
                assert!(in_memory, "attempted, but it is not in memory");
                assert!(!ledger.confirmed, "attempted, and it is known to be dead");
                if !ledger.intent_durable {
                    sights.attempts_from_memory += 1;
                }
                let server = slot_of(key) % self.setting.origins;
                let there = |errand: &&Action| matches!(errand, Action::Attempt(other) if slot_of(other) % self.setting.origins == server);
                let out = self.errands.iter().filter(there).count();
                assert!(out < self.policy.concurrency.max(1), "too many attempts at once");
            }
            Action::Archive(_) => {
                assert!(matches!(stage, Some(Stage::Ended(_))) && ledger.ended);
                assert!(!ledger.archived, "archived twice");
            }
            Action::Delete(_) => {
                assert!(!ledger.deleted, "deleted twice");
                if ledger.acknowledged || phase == Some(Phase::Ended) {
                    assert!(ledger.confirmed || ledger.forgotten, "deleted alive");
                    assert!(
                        matches!(stage, Some(Stage::Ended(_))),
                        "deleted, but not ended on disk"
                    );
                    assert!(ledger.archived, "deleted before the history has it");
                }
            }
            Action::Remove(_) => {
                assert!(!in_keyring || hidden, "its secret is still in the keyring");
                if ledger.acknowledged || phase == Some(Phase::Ended) {
                    assert!(ledger.deleted && ledger.archived, "removed too early");
                }
            }
            Action::Wipe(_) => {
                assert!(!ledger.acknowledged || ledger.confirmed || ledger.forgotten);
            }
            Action::Deny(_) => {}
        }
    }

    /// The rules that hold at every moment.
    pub(crate) fn check(&mut self) {
        for (key, ledger) in &self.ledgers {
            assert!(!ledger.confirmed || !self.alive.contains(key), "{key} is called dead");
            if ledger.acknowledged && !ledger.confirmed && !ledger.forgotten {
                self.check_held(key, ledger);
            }
        }
        for session in self.machine.sessions() {
            self.check_session(session);
        }
        for key in &self.memory {
            assert!(self.phase(key).is_some(), "{key} stays in memory without a session");
        }
        let past = |at: u64| at <= self.now.since_boot;
        assert!(!self.machine.wakes_at().is_some_and(past), "wants to be woken in the past");
        if self.machine.at_rest() {
            self.sights.rests += 1;
            self.check_rest();
        }
    }

    /// Acknowledged, and nobody said that it is dead: it has to be everywhere.
    fn check_held(&self, key: &Key, ledger: &Ledger) {
        let record = self.disk.get(&key.id).filter(|record| record.key == *key);
        let stage = record.map(|record| &record.stage);
        assert!(
            matches!(stage, Some(Stage::Active | Stage::Revoking(_))),
            "{key} is acknowledged, and on disk it is {stage:?}"
        );
        assert_eq!(self.keyring.get(&key.id), Some(key), "acknowledged, and its secret is gone");
        match self.phase(key) {
            Some(Phase::Active) => assert!(!ledger.asked, "{key} is active"),
            Some(Phase::Revoking) => {}
            Some(Phase::Lost) => assert!(self.hidden.contains(key), "{key} is called lost"),
            phase => panic!("{key} is acknowledged, and it is {phase:?}"),
        }
    }

    fn check_session(&self, session: &Session) {
        let key = session.key();
        assert_eq!(session.in_hand(), self.memory.contains(key), "{key}: who has its token?");
        if session.phase() == Phase::Active {
            let missed = |at: Option<Moment>| at.is_some_and(|at| at.reached(self.now));
            assert!(!ends(session).into_iter().any(missed));
        }
        let record = self.disk.get(&key.id).filter(|record| record.key == *key);
        let limits = record.map(|record| record.about.limits);
        assert!(
            session.phase() != Phase::Active
                || limits == Some(session.about().limits)
                || self.is_out(Place::Disk, key)
                || self.machine.wakes_at().is_some(),
            "{key}: nobody writes its limits"
        );
        let stage = record.map(|record| &record.stage);
        match session.pending().map(|pending| pending.durable) {
            Some(Some(true)) => {
                assert!(matches!(stage, Some(Stage::Revoking(_))), "called durable, but {stage:?}");
            }
            Some(_) => assert!(
                self.is_out(Place::Disk, key) || self.machine.wakes_at().is_some(),
                "{key}: nobody writes its intent"
            ),
            None => {}
        }
    }

    /// A daemon that may end has nothing out, and what it leaves is lost, was kept on purpose, or
    /// waits for a place that refused it last.
    fn check_rest(&self) {
        let keep = self.stopping.expect("at rest without having been stopped");
        assert!(keep || self.memory.is_empty(), "at rest with a token in hand");
        for session in self.machine.sessions() {
            let key = session.key();
            let ledger = &self.ledgers[key];
            assert!(!self.is_out(Place::Disk, key), "{key}: at rest while its record is written");
            let asking = self.is_out(Place::Keyring, key);
            assert!(!asking || ledger.keyring_failed, "{key}: at rest while its keyring is asked");
            let durable = session.pending().map(|pending| pending.durable);
            let good = match session.phase() {
                Phase::Active => keep,
                Phase::Revoking => (keep && durable == Some(Some(true))) || ledger.keyring_failed,
                Phase::Lost => durable != Some(None),
                Phase::Adding | Phase::Ended => ledger.disk_failed || ledger.keyring_failed,
            };
            assert!(good, "at rest, but {session:?}");
        }
    }

    fn is_out(&self, place: Place, key: &Key) -> bool {
        let this = |errand: &Action| place_of(errand) == Some(place) && key_of(errand) == Some(key);
        self.errands.iter().any(this)
    }

    /// Tokens of which nothing is left anywhere are no more spoken of.
    pub(crate) fn bury(&mut self) {
        let left = |key: &Key| {
            self.phase(key).is_some()
                || self.disk.get(&key.id).is_some_and(|record| record.key == *key)
                || self.keyring.get(&key.id) == Some(key)
                || self.errands.iter().any(|errand| key_of(errand) == Some(key))
        };
        let gone: Vec<_> = self.ledgers.keys().filter(|key| !left(key)).cloned().collect();
        for key in gone {
            let ledger = self.ledgers.remove(&key).unwrap();
            let excuse = !ledger.acknowledged && (ledger.handed_over || ledger.excused);
            let alive = self.alive.remove(&key);
            assert!(!alive || ledger.forgotten || excuse, "{key} lives on, unknown: {ledger:?}");
            self.hidden.remove(&key);
        }
    }
}
