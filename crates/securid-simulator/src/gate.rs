//! Whether the listener is to be open, whether it is, and the cutting of live connections.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

/// The server's thread only ever waits for sockets, so it follows within milliseconds; this bound
/// is for a machine under heavy load.
const SETTLE_LIMIT: Duration = Duration::from_secs(5);

pub(crate) struct Gate {
    /// What the switches ask for: `true` is down.
    down_wanted: watch::Sender<bool>,
    /// Counts the cuts: a connection that sees the number change is cut.
    cuts: watch::Sender<u64>,
    phase: Mutex<Phase>,
    changed: Condvar,
}

/// What the listener really is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Listening,
    Down,
    /// The server's thread is over.
    Stopped,
}

impl Gate {
    pub(crate) fn new() -> Self {
        Self {
            down_wanted: watch::Sender::new(false),
            cuts: watch::Sender::new(0),
            phase: Mutex::new(Phase::Listening),
            changed: Condvar::new(),
        }
    }

    pub(crate) fn want_down(&self, down: bool) {
        self.down_wanted.send_replace(down);
    }

    pub(crate) fn down_wanted(&self) -> watch::Receiver<bool> {
        self.down_wanted.subscribe()
    }

    pub(crate) fn cuts(&self) -> watch::Receiver<u64> {
        self.cuts.subscribe()
    }

    /// Cuts every connection that exists now.
    pub(crate) fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Announces what the listener has become.
    pub(crate) fn enter(&self, phase: Phase) {
        *self.phase.lock().unwrap_or_else(PoisonError::into_inner) = phase;
        self.changed.notify_all();
    }

    /// Waits (bounded) until the listener is what is wanted, or the server is over.
    pub(crate) fn settle(&self) {
        let wanted = if *self.down_wanted.borrow() { Phase::Down } else { Phase::Listening };
        self.wait_for(|phase| phase == wanted || phase == Phase::Stopped);
    }

    /// Waits (bounded) for the end of the server; whether it came.
    pub(crate) fn wait_stopped(&self) -> bool {
        self.wait_for(|phase| phase == Phase::Stopped)
    }

    fn wait_for(&self, wanted: impl Fn(Phase) -> bool) -> bool {
        let phase = self.phase.lock().unwrap_or_else(PoisonError::into_inner);
        let (_phase, waited) = self
            .changed
            .wait_timeout_while(phase, SETTLE_LIMIT, |phase| !wanted(*phase))
            .unwrap_or_else(PoisonError::into_inner);
        !waited.timed_out()
    }
}
