//! How the daemon comes to its end.

use std::time::Duration;

use securid_session::{Event, Moment};
use securid_store::crash;
use tracing::info;

use super::Keeper;
use crate::clock;
use crate::config::Fate;

/// What a daemon that stops has to mind.
pub(super) struct Stopping {
    /// When the grace is over. It is set once: being asked again prolongs nothing, but the system may leave less.
    by: Moment,
    keep: bool,
    signals: u32,
    /// After a second signal: when it ends even though an intent may not be on disk.
    at_once_by: Option<Moment>,
}

/// How long the end of a drain, or a second signal, waits for intents to reach the disk: what was promised is kept unless
/// the disk hangs, and whoever signals twice is in a hurry.
pub(super) const INTENTS_WITHIN: Duration = Duration::from_secs(2);

/// Why the keeper's work is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// Nothing is left to wait for.
    AtRest,
    /// The grace is over; what is unconfirmed stays for the next start.
    GraceOver,
    /// Asked twice: at once, then.
    AtOnce,
}

impl Stopping {
    pub(super) fn wakes_at(&self) -> Moment {
        self.at_once_by.unwrap_or(self.by)
    }
}

impl Keeper {
    /// The first signal stops; a second one, not a `stop` before it, means at once. Where the system ends the process
    /// and says how long it has left, that is no matter of haste, but of less time.
    pub(super) fn signalled(&mut self, left: Option<Duration>) {
        self.stop(self.config.now().on_exit == Fate::Keep);
        if let Some(stopping) = &mut self.stopping {
            if let Some(left) = left {
                stopping.by = stopping.by.earlier(clock::now().after(left));
                return;
            }
            stopping.signals += 1;
            if stopping.signals > 1 {
                stopping.at_once_by.get_or_insert(clock::now().after(INTENTS_WITHIN));
            }
        }
    }

    /// Begins to stop: nothing new is taken in, and unless sessions are kept, all are revoked. Of
    /// several wishes, to revoke wins; draining is one, and so is the end of the boot. Gives back whether they are kept.
    pub(super) fn stop(&mut self, keep: bool) -> bool {
        let kept_so_far = self.stopping.as_ref().is_none_or(|stopping| stopping.keep);
        let keep = keep && kept_so_far && self.draining.is_none() && !self.is_going_down();
        if self.stopping.as_ref().is_some_and(|stopping| stopping.keep == keep) {
            return keep;
        }
        info!(keep, "stopping");
        crash::point("stop.asked", keep);
        let grace = self.config.now().revocation.shutdown_grace;
        if self.stopping.is_none() {
            self.standing.manager.stopping(grace);
        }
        let by = clock::now().after(grace);
        let stopping =
            self.stopping.get_or_insert(Stopping { by, keep, signals: 0, at_once_by: None });
        stopping.keep = keep;
        self.event(Event::Stop { keep });
        keep
    }

    /// Why the daemon may end now, if it may.
    pub(super) fn end(&self) -> Option<End> {
        if self.is_drained() {
            return Some(End::AtRest);
        }
        if self.drain_is_over() {
            return Some(End::GraceOver);
        }
        let stopping = self.stopping.as_ref()?;
        let over = |at: Moment| at.reached(clock::now());
        match stopping.at_once_by {
            Some(by) => (self.machine.intents_settled() || over(by)).then_some(End::AtOnce),
            // A secret without a record that is being looked for has nobody else to revoke it.
            None if self.machine.at_rest()
                && self.logins_in_flight == 0
                && (stopping.keep || self.search.is_at_rest()) =>
            {
                Some(End::AtRest)
            }
            None => over(stopping.by).then_some(End::GraceOver),
        }
    }
}
