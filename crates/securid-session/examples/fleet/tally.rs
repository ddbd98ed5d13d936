//! What is counted: requests and confirmations, second by second.

use std::ops::Range;

use crate::clock::{Instant, SECOND};

#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    /// How many tokens there were.
    pub(crate) tokens: u64,
    /// Requests that came in at the server, or would have, in each second.
    asked: Vec<u32>,
    /// Tokens that their daemon was told of that they are dead, in each second.
    confirmed: Vec<u32>,
}

impl Tally {
    pub(crate) fn ask(&mut self, at: Instant) {
        count(&mut self.asked, at);
    }

    pub(crate) fn confirm(&mut self, at: Instant) {
        count(&mut self.confirmed, at);
    }

    /// How many tokens are known to be dead before `at`.
    pub(crate) fn confirmed_before(&self, at: Instant) -> u64 {
        sum(part(&self.confirmed, 0..at))
    }

    pub(crate) fn requests(&self, during: Range<Instant>) -> u64 {
        sum(part(&self.asked, during))
    }

    /// Requests a second on average.
    pub(crate) fn mean(&self, during: Range<Instant>) -> f64 {
        let seconds = (during.end - during.start) as f64 / SECOND as f64;
        self.requests(during) as f64 / seconds
    }

    /// The most requests in one second.
    pub(crate) fn peak(&self, during: Range<Instant>) -> u32 {
        part(&self.asked, during).iter().copied().max().unwrap_or(0)
    }

    /// When so many percent of the tokens were known to be dead: the end of that second, if it came.
    pub(crate) fn confirmed_percent(&self, percent: u64) -> Option<Instant> {
        let enough = (self.tokens * percent).div_ceil(100);
        let mut so_far = 0;
        let second = self.confirmed.iter().position(|n| {
            so_far += u64::from(*n);
            so_far >= enough
        });
        second.map(|second| (second as Instant + 1) * SECOND)
    }
}

fn count(seconds: &mut Vec<u32>, at: Instant) {
    let second = index(at);
    if seconds.len() <= second {
        seconds.resize(second + 1, 0);
    }
    seconds[second] += 1;
}

fn part(seconds: &[u32], during: Range<Instant>) -> &[u32] {
    let end = index(during.end).min(seconds.len());
    &seconds[index(during.start).min(end)..end]
}

fn sum(seconds: &[u32]) -> u64 {
    seconds.iter().copied().map(u64::from).sum()
}

fn index(at: Instant) -> usize {
    usize::try_from(at / SECOND).unwrap_or(usize::MAX)
}
