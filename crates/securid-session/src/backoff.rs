//! When to try again.

use std::time::Duration;

use crate::Key;

/// How revocations are tried; the config's `[revocation]` table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Policy {
    /// The longest wait after a first failure.
    pub retry_initial: Duration,
    /// The longest wait ever, but for `Retry-After`, which comes before it.
    pub retry_max: Duration,
    /// How many attempts may be in flight to one origin; at least one.
    pub concurrency: usize,
}

/// The longest `Retry-After` that is honoured: a server under repair may ask for a day, but a
/// token that lives must not wait that long (contract, rule 4).
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(60 * 60);

/// The longest wait before a failed errand to disk or keyring is tried again. It costs one call,
/// and a person who has just unlocked the keyring or made room is watching.
const ERRAND_MAX: Duration = Duration::from_secs(30);

/// The wait before a failed errand is first tried again.
const ERRAND_INITIAL: Duration = Duration::from_secs(1);

impl Policy {
    /// How long to wait after the `failures`th failed attempt in a row, counted from one: evenly
    /// drawn between nothing and a ceiling that doubles each time ("full jitter"), so that a
    /// thousand sessions that failed together do not come back together.
    ///
    /// A `Retry-After` is waited first. The draw is then from what is left below the ceiling, which grows
    /// as ever, because a server that has too much to do may say "in a second" to everybody who asks; and
    /// from as long a time as the `Retry-After` itself at least (within `retry_max`), because one may send a
    /// whole fleet away with one date.
    pub(crate) fn wait(
        &self,
        seed: u64,
        key: &Key,
        failures: u32,
        retry_after: Option<Duration>,
    ) -> Duration {
        let theirs = retry_after.unwrap_or_default().min(RETRY_AFTER_MAX);
        let ceiling = doubled(self.retry_initial, failures, self.retry_max);
        let window = ceiling.saturating_sub(theirs).max(theirs.min(self.retry_max));
        let millis = u64::try_from(window.as_millis()).unwrap_or(u64::MAX);
        theirs + Duration::from_millis(dice(seed, key, failures).u64(0..=millis))
    }
}

/// How long to wait after the `failures`th failed errand in a row, counted from one.
pub(crate) fn errand_wait(failures: u32) -> Duration {
    doubled(ERRAND_INITIAL, failures, ERRAND_MAX)
}

/// `first`, doubled for every failure after the first, at most `most`.
fn doubled(first: Duration, failures: u32, most: Duration) -> Duration {
    let factor = 1u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX);
    first.checked_mul(factor).map_or(most, |wait| wait.min(most))
}

/// Dice that fall the same way for the same attempt, so that the machine stays a function of what
/// went in.
pub(crate) fn dice(seed: u64, key: &Key, failures: u32) -> fastrand::Rng {
    let mut mixed = seed ^ key.generation.0.rotate_left(32) ^ u64::from(failures);
    for byte in key.id.as_str().bytes() {
        mixed = fastrand::Rng::with_seed(mixed ^ u64::from(byte)).u64(..);
    }
    fastrand::Rng::with_seed(mixed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Generation, SessionId};

    const POLICY: Policy = Policy {
        retry_initial: Duration::from_secs(1),
        retry_max: Duration::from_secs(300),
        concurrency: 1,
    };

    fn key(bits: u64) -> Key {
        Key { id: SessionId::from_bits(bits), generation: Generation(1) }
    }

    #[test]
    fn waits_stay_below_a_ceiling_that_doubles() {
        for (failures, ceiling) in [(1, 1), (2, 2), (3, 4), (9, 256), (10, 300), (u32::MAX, 300)] {
            for bits in 0..200 {
                let wait = POLICY.wait(7, &key(bits), failures, None);
                assert!(wait <= Duration::from_secs(ceiling), "{failures}: {wait:?}");
            }
        }
    }

    #[test]
    fn waits_are_spread_over_the_whole_window() {
        let mut eighths = [0; 8];
        for bits in 0..800 {
            let wait = POLICY.wait(7, &key(bits), 10, None).as_millis();
            eighths[usize::try_from(wait * 8 / 300_001).unwrap_or(7)] += 1;
        }
        assert!(eighths.iter().all(|&n| (50..=150).contains(&n)), "{eighths:?}");
    }

    #[test]
    fn what_the_server_asks_for_comes_on_top_and_widens_the_window() {
        for (theirs, failures, least, most) in [
            (120, 1, 120, 240),
            (120, 9, 120, 256),
            (1, 9, 1, 256),
            (7_200, 1, 3_600, 3_900),
            (0, 1, 0, 1),
        ] {
            let wait = |bits| {
                let theirs = Some(Duration::from_secs(theirs));
                POLICY.wait(7, &key(bits), failures, theirs).as_millis()
            };
            let (least, most) = (least * 1_000, most * 1_000);
            assert!((0..200).all(|bits| (least..=most).contains(&wait(bits))), "{theirs}");
            let late = (0..200).filter(|bits| wait(*bits) * 2 > least + most).count();
            assert!((60..=140).contains(&late), "{late} of 200 in the second half");
        }
    }

    #[test]
    fn another_seed_gives_other_waits() {
        assert_ne!(POLICY.wait(1, &key(1), 10, None), POLICY.wait(2, &key(1), 10, None));
    }

    #[test]
    fn errands_are_tried_again_at_least_every_half_minute() {
        assert_eq!(errand_wait(1), Duration::from_secs(1));
        assert_eq!(errand_wait(6), Duration::from_secs(30));
        assert_eq!(errand_wait(u32::MAX), Duration::from_secs(30));
    }
}
