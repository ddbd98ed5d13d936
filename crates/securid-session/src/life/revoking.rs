//! Revoking: the intent on disk (or known to be refused by it), then attempts until the server says
//! that the token is dead.

use crate::backoff::{Policy, RETRY_AFTER_MAX};
use crate::changes;
use crate::session::{Intent, Revoking, Session, State, WaitsFor};
use crate::{Action, Ending, Moment, Reason, Revocation, Verdict};

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

    pub(super) fn begin(&mut self, now: Moment, reason: Reason) -> Revoking {
        self.holds = 0;
        self.stale = true;
        self.disk.hurry();
        Revoking {
            revocation: Revocation { reason, since: now, attempts: 0, last_error: None },
            intent: Intent::Unwritten,
            next_attempt: now,
            waits_for: WaitsFor::Schedule,
            changed: None,
            failures: 0,
        }
    }

    /// Time to try; for a lost one, time to look for its secret once more.
    pub(crate) fn retry(&mut self, now: Moment) {
        match &mut self.state {
            State::Revoking(revoking) => {
                revoking.next_attempt = now;
                revoking.waits_for = WaitsFor::Schedule;
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
    /// then on as often as a fresh one; one that the server has sent away, as soon as the server wishes.
    pub(crate) fn last_chance(&mut self, now: Moment) {
        let State::Revoking(revoking) = &mut self.state else { return };
        let soonest = match revoking.waits_for {
            WaitsFor::Server { until } => until.later(now),
            WaitsFor::Schedule | WaitsFor::Network => {
                revoking.failures = 0;
                now
            }
        };
        revoking.next_attempt = revoking.next_attempt.earlier(soonest);
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
        let changed = revoking.changed.take();
        let (error, waits_for, theirs) = match verdict {
            Verdict::Dead { outcome, evidence } => {
                let Revocation { reason, since, attempts, .. } = revoking.revocation;
                let (reason, requested, ended) = (Some(reason), since, now);
                self.end(Ending { reason, requested, ended, attempts, outcome, evidence }, actions);
                return;
            }
            Verdict::Unreached { error } => (error, WaitsFor::Network, None),
            Verdict::Unconfirmed { error, retry_after: None } => (error, WaitsFor::Schedule, None),
            Verdict::Unconfirmed { error, retry_after: Some(theirs) } => {
                let until = now.after(theirs.min(RETRY_AFTER_MAX));
                (error, WaitsFor::Server { until }, Some(theirs))
            }
        };
        revoking.failures = revoking.failures.saturating_add(1);
        let wait = policy.wait(seed, &self.key, revoking.failures, theirs);
        revoking.waits_for = waits_for;
        revoking.next_attempt = now.after(wait);
        revoking.revocation.last_error = Some(error);
        self.stale = true;
        if let Some(from) = changed {
            self.network_changed(now.later(from), seed);
        }
    }

    /// The network has changed: what could not be reached is tried soon after `from`. An attempt that is
    /// out began in the network of before, so it decides nothing about the one there is now.
    pub(crate) fn network_changed(&mut self, from: Moment, seed: u64) {
        let State::Revoking(revoking) = &mut self.state else { return };
        if self.attempting {
            revoking.changed = Some(from);
        } else if revoking.waits_for == WaitsFor::Network {
            let soon = from.after(changes::spread(seed, &self.key, revoking.failures));
            revoking.next_attempt = revoking.next_attempt.earlier(soon);
        }
    }
}
