//! How each event changes one session. The rules of the guarantee stand here; see the crate's page.

use std::sync::Arc;
use std::time::Duration;

use crate::backoff::{Policy, RETRY_AFTER_MAX};
use crate::lane::Lane;
use crate::session::{
    AddStep, DiskErrand, EndStep, Intent, KeyringErrand, Revoking, Session, StageName, State,
};
use crate::{
    About, Action, Denial, Ending, Found, Key, Moment, Outcome, Reason, Record, Rejection,
    Revocation, Source, Stage, Verdict,
};

/// Uses are written at most every twentieth of the idle timeout: a daemon that crashes then gives
/// a session at most that much less time than it had.
const USES_PER_IDLE: u32 = 20;

// Beginnings.
impl Session {
    fn new(now: Moment, key: Key, about: Arc<About>, state: State) -> Self {
        Self {
            key,
            about,
            created: now,
            last_used: now,
            in_use_until: None,
            holds: 0,
            state,
            in_hand: false,
            attempting: false,
            stale: false,
            recorded_use: now,
            disk: Lane::new(),
            keyring: Lane::new(),
        }
    }

    /// A token that came in while the daemon runs, or (`stopping`) is about to stop.
    pub(crate) fn adding(
        now: Moment,
        key: Key,
        about: Arc<About>,
        source: Source,
        stopping: bool,
    ) -> Self {
        let doomed = stopping.then_some(Reason::Shutdown);
        let state = State::Adding { source, step: AddStep::Announce, doomed };
        Self { in_hand: true, ..Self::new(now, key, about, state) }
    }

    /// A secret without a record: revoked, because nobody knows of it.
    pub(crate) fn orphan(now: Moment, key: Key, about: Arc<About>) -> Self {
        let mut session = Self::new(now, key, about, State::Active);
        session.in_hand = true;
        session.revoke(now, Reason::Orphan);
        session
    }

    /// What an earlier daemon left. Nobody knows yet whether the secret is still there.
    pub(crate) fn restored(now: Moment, record: Record, same_boot: bool) -> Self {
        let Record { key, about, created, last_used, in_use_until, held, stage } = record;
        let mut session = Self::new(now, key, about, State::Active);
        session.created = created;
        session.last_used = if held && same_boot { now } else { last_used };
        session.recorded_use = session.last_used;
        session.in_use_until = in_use_until.filter(|_| same_boot);
        match stage {
            Stage::Adding => {
                session.state = State::Adding {
                    source: Source::Login,
                    step: AddStep::Recover,
                    doomed: Some(Reason::Abandoned),
                };
            }
            // Nobody holds it any more; the holder has one idle timeout to come back.
            Stage::Active if same_boot => session.stale = held,
            // The clock that its deadlines were kept by is gone.
            Stage::Active => session.revoke(now, Reason::Shutdown),
            Stage::Revoking(revocation) => {
                session.state = State::Revoking(Revoking {
                    revocation,
                    intent: Intent::Durable,
                    next_attempt: now,
                    server_asked: false,
                    failures: 0,
                });
            }
            // The history may have it already: it takes each ending once.
            Stage::Ended(ending) => session.state = State::Ended { ending, step: EndStep::Archive },
        }
        session
    }
}

// Taking in: `adding` on disk, secret in the keyring, `active` on disk, acknowledged.
impl Session {
    /// The step that was waited for is done.
    fn add_step_done(&mut self, now: Moment, done: AddStep, actions: &mut Vec<Action>) {
        let State::Adding { source, step, doomed } = &mut self.state else { return };
        if *step != done {
            return;
        }
        match (done, *source, *doomed) {
            // Even one that is to die at once is stored first, so that it outlives a crash.
            (AddStep::Announce, Source::Login, _) | (AddStep::Announce, _, None) => {
                *step = AddStep::Store;
            }
            (AddStep::Store, _, None) => *step = AddStep::Activate,
            (AddStep::Activate, _, None) => {
                self.state = State::Active;
                actions.push(Action::Acknowledge(self.key.clone()));
            }
            (AddStep::Clear, ..) => *step = AddStep::Drop,
            (AddStep::Drop, ..) => self.state = State::Gone,
            _ => self.add_failed(now, done, Rejection::Stopping, actions),
        }
    }

    /// The step failed, or the session is doomed. Our own login's token is revoked, for nobody
    /// else knows it; a token that was handed over stays with whoever brought it.
    fn add_failed(&mut self, now: Moment, at: AddStep, why: Rejection, actions: &mut Vec<Action>) {
        let State::Adding { source, step, doomed } = &mut self.state else { return };
        match at {
            AddStep::Announce | AddStep::Store | AddStep::Activate => {}
            // Asked again when its lane allows.
            AddStep::Recover | AddStep::Clear | AddStep::Drop => return,
        }
        actions.push(Action::Reject(self.key.clone(), why));
        match source {
            Source::Login => {
                let reason = doomed.unwrap_or(Reason::Abandoned);
                self.revoke(now, reason);
            }
            Source::Handover => {
                *step = if at == AddStep::Announce { AddStep::Drop } else { AddStep::Clear };
                self.in_hand = false;
                self.disk.hurry();
                self.keyring.hurry();
                actions.push(Action::Wipe(self.key.clone()));
            }
        }
    }

    /// Nobody will be told of it: it is to die as soon as it is safe.
    pub(crate) fn doom(&mut self, reason: Reason) {
        if let State::Adding { doomed: doomed @ None, .. } = &mut self.state {
            *doomed = Some(reason);
        }
    }
}

// Using.
impl Session {
    /// Why it cannot be used now; `token`: whether the token itself is wanted.
    pub(crate) fn denial(&self, token: bool) -> Option<Denial> {
        match self.state {
            State::Active if token && !self.in_hand => Some(Denial::Unreachable),
            State::Active => None,
            State::Revoking(_) => Some(Denial::UnderRevocation),
            State::Lost { .. } => Some(Denial::Lost),
            State::Adding { .. } | State::Ended { .. } | State::Gone => Some(Denial::Unknown),
        }
    }

    /// Used now, and for `span` from now on. Written lazily, but for a span, which somebody
    /// counts on.
    pub(crate) fn used(&mut self, now: Moment, span: Option<Duration>) {
        self.last_used = now;
        if let Some(span) = span {
            let until = now.after(span);
            self.in_use_until = Some(self.in_use_until.map_or(until, |u| u.later(until)));
            self.stale = true;
        }
        let lazily = self.about.limits.idle.map(|idle| idle / USES_PER_IDLE);
        self.stale |= lazily.is_some_and(|lag| now.since(self.recorded_use) >= lag);
    }

    pub(crate) fn hold(&mut self, now: Moment) {
        self.used(now, None);
        self.holds = self.holds.saturating_add(1);
        self.stale |= self.holds == 1;
    }

    pub(crate) fn release(&mut self, now: Moment) {
        if self.state == State::Active && self.holds > 0 {
            self.holds -= 1;
            self.used(now, None);
            self.stale |= self.holds == 0;
        }
    }

    /// The limit that has been reached, if one has.
    pub(crate) fn limit_reached(&self, now: Moment) -> Option<Reason> {
        let reached = |at: Option<Moment>| at.is_some_and(|at| at.reached(now));
        match self.state {
            State::Active if reached(self.expires_at()) => Some(Reason::Lifetime),
            State::Active if reached(self.idle_deadline()) => Some(Reason::Idle),
            _ => None,
        }
    }
}

// Revoking: the intent on disk (or known to be refused by it), then attempts until the server says
// that the token is dead.
impl Session {
    /// From here on it is never lent again.
    pub(crate) fn revoke(&mut self, now: Moment, reason: Reason) {
        self.state = State::Revoking(self.begin(now, reason));
    }

    /// Its end is asked for: an active one is revoked, and a lost one is as soon as its secret is
    /// found again. Whatever else it is, it needs no further asking.
    pub(crate) fn end_asked(&mut self, now: Moment, reason: Reason) {
        match self.state {
            State::Active => self.revoke(now, reason),
            State::Lost { pending: None, seeking } => {
                self.state = State::Lost { pending: Some(self.begin(now, reason)), seeking };
            }
            _ => {}
        }
    }

    fn begin(&mut self, now: Moment, reason: Reason) -> Revoking {
        self.holds = 0;
        self.stale = true;
        self.disk.hurry();
        Revoking {
            revocation: Revocation { reason, since: now, attempts: 0, last_error: None },
            intent: Intent::Unwritten,
            next_attempt: now,
            server_asked: false,
            failures: 0,
        }
    }

    /// Time to try; for a lost one, time to look for its secret once more.
    pub(crate) fn retry(&mut self, now: Moment) {
        match &mut self.state {
            State::Revoking(revoking) => {
                revoking.next_attempt = now;
                revoking.server_asked = false;
                revoking.failures = 0;
                self.keyring.hurry();
            }
            State::Lost { seeking, .. } => {
                *seeking = true;
                self.keyring.hurry();
            }
            _ => {}
        }
    }

    /// The daemon is about to stop: one that waits by our own schedule is tried at once, and from
    /// then on as often as a fresh one.
    pub(crate) fn last_chance(&mut self, now: Moment) {
        if let State::Revoking(revoking) = &mut self.state
            && !revoking.server_asked
        {
            revoking.next_attempt = revoking.next_attempt.earlier(now);
            revoking.failures = 0;
        }
    }

    pub(crate) fn answered(
        &mut self,
        now: Moment,
        verdict: Verdict,
        policy: &Policy,
        seed: u64,
        actions: &mut Vec<Action>,
    ) {
        self.attempting = false;
        let State::Revoking(revoking) = &mut self.state else { return };
        revoking.revocation.attempts = revoking.revocation.attempts.saturating_add(1);
        match verdict {
            Verdict::Dead { outcome, evidence } => {
                let Revocation { reason, since, attempts, .. } = revoking.revocation;
                let (reason, requested, ended) = (Some(reason), since, now);
                self.end(Ending { reason, requested, ended, attempts, outcome, evidence }, actions);
            }
            Verdict::Unconfirmed { error, retry_after } => {
                revoking.failures = revoking.failures.saturating_add(1);
                let ours = policy.wait(seed, &self.key, revoking.failures);
                // Jitter on top, so that all whom the server sent away do not return together.
                let wait = match retry_after {
                    Some(theirs) => theirs.min(RETRY_AFTER_MAX) + policy.wait(seed, &self.key, 1),
                    None => ours,
                };
                revoking.server_asked = retry_after.is_some();
                revoking.next_attempt = now.after(wait);
                revoking.revocation.last_error = Some(error);
                self.stale = true;
            }
        }
    }
}

// Ending: `ended` on disk, history, secret deleted, record removed.
impl Session {
    fn end(&mut self, ending: Ending, actions: &mut Vec<Action>) {
        self.state = State::Ended { ending, step: EndStep::Record };
        self.in_hand = false;
        self.disk.hurry();
        self.keyring.hurry();
        actions.push(Action::Wipe(self.key.clone()));
    }

    /// A person gives it up. One that is active has to be logged out first; an ended one is dead.
    pub(crate) fn forget(&mut self, now: Moment, actions: &mut Vec<Action>) {
        let pending = match &self.state {
            State::Revoking(revoking) => Some(&revoking.revocation),
            State::Lost { pending, .. } => pending.as_ref().map(|p| &p.revocation),
            _ => return,
        };
        let ending = Ending {
            reason: pending.map(|p| p.reason),
            requested: pending.map_or(now, |p| p.since),
            ended: now,
            attempts: pending.map_or(0, |p| p.attempts),
            outcome: Outcome::Forgotten,
            evidence: "a person's word alone".to_owned(),
        };
        self.end(ending, actions);
    }

    fn end_step_done(&mut self, done: EndStep) {
        let State::Ended { step, .. } = &mut self.state else { return };
        if *step != done {
            return;
        }
        match done {
            EndStep::Record => *step = EndStep::Archive,
            EndStep::Archive => *step = EndStep::Delete,
            EndStep::Delete => *step = EndStep::Remove,
            EndStep::Remove => self.state = State::Gone,
        }
    }
}

// Answers of disk and keyring.
impl Session {
    /// The record's write was answered. It may tell of an earlier stage than the present one.
    pub(crate) fn written(&mut self, now: Moment, done: bool, actions: &mut Vec<Action>) {
        let Some(DiskErrand::Write(name)) = self.disk.answered(now, done) else { return };
        match (name, &mut self.state) {
            (StageName::Adding, State::Adding { step: step @ AddStep::Announce, .. })
            | (StageName::Active, State::Adding { step: step @ AddStep::Activate, .. }) => {
                let step = *step;
                if done {
                    self.add_step_done(now, step, actions);
                } else {
                    self.add_failed(now, step, Rejection::Disk, actions);
                }
            }
            (StageName::Active, State::Active) => self.stale |= !done,
            (
                StageName::Revoking,
                State::Revoking(revoking) | State::Lost { pending: Some(revoking), .. },
            ) => {
                if done {
                    revoking.intent = Intent::Durable;
                } else {
                    self.stale = true;
                    if revoking.intent == Intent::Unwritten {
                        revoking.intent = Intent::Unwritable;
                    }
                }
            }
            (StageName::Ended, State::Ended { .. }) if done => self.end_step_done(EndStep::Record),
            (StageName::Ended, State::Ended { .. }) => {}
            // The stage has changed meanwhile; what stands for it now need not wait.
            _ => self.disk.hurry(),
        }
    }

    pub(crate) fn archived(&mut self, now: Moment, done: bool) {
        if self.disk.answered(now, done) == Some(DiskErrand::Archive) && done {
            self.end_step_done(EndStep::Archive);
        }
    }

    pub(crate) fn removed(&mut self, now: Moment, done: bool, actions: &mut Vec<Action>) {
        if self.disk.answered(now, done) == Some(DiskErrand::Remove) && done {
            self.add_step_done(now, AddStep::Drop, actions);
            self.end_step_done(EndStep::Remove);
        }
    }

    pub(crate) fn stored(&mut self, now: Moment, done: bool, actions: &mut Vec<Action>) {
        if self.keyring.answered(now, done) != Some(KeyringErrand::Store) {
            return;
        }
        if done {
            self.add_step_done(now, AddStep::Store, actions);
        } else {
            self.add_failed(now, AddStep::Store, Rejection::Keyring, actions);
        }
    }

    pub(crate) fn deleted(&mut self, now: Moment, done: bool, actions: &mut Vec<Action>) {
        if self.keyring.answered(now, done) == Some(KeyringErrand::Delete) && done {
            self.add_step_done(now, AddStep::Clear, actions);
            self.end_step_done(EndStep::Delete);
        }
    }

    pub(crate) fn fetched(&mut self, now: Moment, found: Found, actions: &mut Vec<Action>) {
        let told = found != Found::Unreachable;
        if self.keyring.answered(now, told) != Some(KeyringErrand::Fetch) || !told {
            return;
        }
        self.in_hand = found == Found::Here;
        match &mut self.state {
            State::Adding { step: AddStep::Recover, .. } if self.in_hand => {
                self.revoke(now, Reason::Abandoned);
            }
            // It never got as far as the keyring: nobody was told of it.
            State::Adding { step: step @ AddStep::Recover, .. } => *step = AddStep::Drop,
            State::Active if !self.in_hand => {
                self.holds = 0;
                self.state = State::Lost { pending: None, seeking: false };
            }
            State::Revoking(revoking) if !self.in_hand => {
                self.state = State::Lost { pending: Some(revoking.clone()), seeking: false };
            }
            State::Lost { pending, .. } if self.in_hand => {
                self.state = match pending.take() {
                    Some(revoking) => {
                        State::Revoking(Revoking { next_attempt: now, failures: 0, ..revoking })
                    }
                    None => State::Active,
                };
            }
            State::Lost { seeking, .. } => *seeking = false,
            State::Active | State::Revoking(_) => {}
            // Dead meanwhile.
            State::Adding { .. } | State::Ended { .. } | State::Gone => {
                self.in_hand = false;
                actions.push(Action::Wipe(self.key.clone()));
            }
        }
    }
}
