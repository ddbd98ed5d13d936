//! When people do what they do.

use std::ops::Range;

use crate::clock::Instant;

/// When each of many does it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Spread {
    /// As people are: most about then, two thirds of them within `sigma`, nobody beyond six.
    Around { centre: Instant, sigma: Instant },
    /// Evenly over a time.
    Within { from: Instant, to: Instant },
}

impl Spread {
    pub(crate) fn draw(self, dice: &mut fastrand::Rng) -> Instant {
        match self {
            Self::Around { centre, sigma } => {
                // Twelve even draws make a bell, without any function that machines compute differently.
                const FINE: u64 = 1_000;
                let bell: u64 = (0..12).map(|_| dice.u64(0..=FINE)).sum();
                (centre + sigma * bell / FINE).saturating_sub(6 * sigma)
            }
            Self::Within { from, to } => dice.u64(from..to),
        }
    }
}

/// One to three sessions each: most have one for work, some a second or a third for tests.
pub(crate) const SESSIONS: Range<u64> = 1..4;
