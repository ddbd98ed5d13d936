//! One errand at a time to one place, and when to try again after a failure.

use crate::Moment;
use crate::backoff::errand_wait;

/// The way of one session to the disk or to the keyring.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Lane<E> {
    /// The errand whose answer is awaited.
    busy: Option<E>,
    /// How many failed in a row.
    failures: u32,
    /// Not before then; only after a failure.
    retry_at: Option<Moment>,
}

impl<E: Copy> Lane<E> {
    pub(crate) fn new() -> Self {
        Self { busy: None, failures: 0, retry_at: None }
    }

    /// Whether an errand may be sent now.
    pub(crate) fn is_free(&self, now: Moment) -> bool {
        self.busy.is_none() && self.retry_at.is_none_or(|at| at.reached(now))
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.busy.is_some()
    }

    /// Whether the last errand failed.
    pub(crate) fn is_failing(&self) -> bool {
        self.failures > 0
    }

    /// When a waiting errand may be sent, if it has to wait.
    pub(crate) fn retry_at(&self) -> Option<Moment> {
        self.retry_at.filter(|_| self.busy.is_none())
    }

    pub(crate) fn send(&mut self, errand: E) {
        self.busy = Some(errand);
        self.retry_at = None;
    }

    /// The errand that was answered, if one was out.
    pub(crate) fn answered(&mut self, now: Moment, done: bool) -> Option<E> {
        let errand = self.busy.take()?;
        if done {
            self.failures = 0;
        } else {
            self.failures = self.failures.saturating_add(1);
            self.retry_at = Some(now.after(errand_wait(self.failures)));
        }
        Some(errand)
    }

    /// Sends the next errand at once: something new is wanted.
    pub(crate) fn hurry(&mut self) {
        self.retry_at = None;
    }

    /// The place was seen working: earlier failures say nothing any more.
    pub(crate) fn works_again(&mut self) {
        self.retry_at = None;
        self.failures = 0;
    }
}
