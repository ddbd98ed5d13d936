//! Using: lending, touching, holding, and the limits that end it.

use std::sync::Arc;
use std::time::Duration;

use crate::session::{Session, State};
use crate::{About, Denial, Limits, Moment, Reason};

/// Uses are written at most every twentieth of the idle timeout: a daemon that crashes then gives
/// a session at most that much less time than it had.
const USES_PER_IDLE: u32 = 20;

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

    /// A holder has gone. With the last one a tied session ends, unless (`comes_back`) it is the daemon that
    /// goes, or it was held for a call alone: then its holder is waited for.
    pub(crate) fn release(&mut self, now: Moment, comes_back: bool) {
        if self.state != State::Active || self.holds == 0 {
            return;
        }
        self.holds -= 1;
        self.used(now, None);
        if self.holds == 0 {
            self.stale = true;
            self.unheld_since = now;
            if self.about.tied && !comes_back {
                self.revoke(now, Reason::Abandoned);
            }
        }
    }

    /// It ends by itself at these limits from now on. They are written down, so that the next daemon
    /// keeps them; a lost session's when it is found again. One that is to die anyway has none to mind.
    pub(crate) fn limit(&mut self, limits: Limits) {
        let limited = matches!(
            self.state,
            State::Adding { .. } | State::Active | State::Lost { pending: None, .. }
        );
        if limited && limits != self.about.limits {
            self.about = Arc::new(About { limits, ..About::clone(&self.about) });
            self.stale = true;
        }
    }

    /// The limit that has been reached, if one has.
    pub(crate) fn limit_reached(&self, now: Moment) -> Option<Reason> {
        let reached = |at: Option<Moment>| at.is_some_and(|at| at.reached(now));
        match self.state {
            State::Active if reached(self.expires_at()) => Some(Reason::Lifetime),
            State::Active if reached(self.holder_due()) => Some(Reason::Abandoned),
            State::Active if reached(self.idle_deadline()) => Some(Reason::Idle),
            _ => None,
        }
    }
}
