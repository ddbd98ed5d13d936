//! How often a change of the network counts, and how attempts are spread after one.
//!
//! What could not be reached is tried soon after a change, whatever the schedule says. Networks that
//! change all the time must not make a storm of that: a few changes count at once, and then one every half a minute.
//! One that comes too early is put off, and not lost.

use std::time::Duration;

use crate::backoff::dice;
use crate::{Key, Moment};

/// How many changes count at once. A laptop that comes into a network sees about four, as the link is up, as
/// it has an address of each family, and as the VPN is there.
const BURST: u64 = 5;

/// How long it takes until one more counts, in milliseconds. A schedule at its ceiling (5 min) waits two and a
/// half on average, so the worst of networks makes six times as many attempts, none of which gets anywhere.
const EVERY: u64 = 30_000;

/// Over how long attempts are spread. All whose VPN comes back at one moment come at the same server: ten
/// thousand, with two tokens each, then are two thousand a second, and a person who watches still sees it happen. (In
/// half the time half of them would be turned away where two thousand are all that it can do, and wait as long
/// as ever: docs/fleet.md.)
const SPREAD: u64 = 10_000;

/// Which changes count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) struct Changes {
    /// When the full number will count at once again, in milliseconds since boot.
    rested: u64,
}

impl Changes {
    /// The network has changed: from when on that counts.
    pub(crate) fn count(&mut self, now: Moment) -> Moment {
        let put_off = self.rested.saturating_sub(BURST * EVERY);
        if put_off <= now.since_boot {
            let from = self.rested.saturating_sub((BURST - 1) * EVERY).max(now.since_boot);
            self.rested = self.rested.max(from).saturating_add(EVERY);
            return at(now, from);
        }
        // One before it was put off until then; it stands for this one as well.
        at(now, put_off)
    }
}

/// The same on both clocks.
fn at(now: Moment, since_boot: u64) -> Moment {
    now.after(Duration::from_millis(since_boot.saturating_sub(now.since_boot)))
}

/// How long after a change the session is tried, if its attempts have failed that often.
pub(crate) fn spread(seed: u64, key: &Key, failures: u32) -> Duration {
    // Other dice than the schedule's, which would be weighted by what that has drawn before.
    Duration::from_millis(dice(!seed, key, failures).u64(0..=SPREAD))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Generation, SessionId};

    fn second(seconds: u64) -> Moment {
        Moment { since_boot: 1_000_000 + seconds * 1000, unix: 0 }
    }

    #[test]
    fn a_few_count_at_once_and_then_one_each_half_minute() {
        let mut changes = Changes::default();
        for at in 0..5 {
            assert_eq!(changes.count(second(at)).since_boot, second(at).since_boot);
        }
        // The sixth is put off until one counts again; so are those that follow it.
        for at in [5, 10, 29] {
            assert_eq!(changes.count(second(at)).since_boot, second(30).since_boot, "{at}");
        }
        assert_eq!(changes.count(second(31)).since_boot, second(60).since_boot);
    }

    #[test]
    fn rest_brings_all_of_them_back_and_no_more() {
        let mut changes = Changes::default();
        for _ in 0..9 {
            let _ = changes.count(second(0));
        }
        let later = second(3600);
        let at_once = (0..9).filter(|_| changes.count(later).since_boot == later.since_boot);
        assert_eq!(at_once.count(), 5);
    }

    #[test]
    fn a_network_that_never_rests_counts_twice_a_minute() {
        let mut changes = Changes::default();
        let mut counted = std::collections::BTreeSet::new();
        for at in 0..3600 {
            counted.insert(changes.count(second(at)).since_boot);
        }
        assert!((120..=126).contains(&counted.len()), "{}", counted.len());
    }

    #[test]
    fn attempts_after_a_change_are_spread_evenly() {
        let mut fifths = [0; 5];
        for bits in 0..1000 {
            let key = Key { id: SessionId::from_bits(bits), generation: Generation(1) };
            let wait = spread(bits ^ 7, &key, 10).as_millis();
            fifths[usize::try_from(wait * 5 / 10_001).unwrap_or(5)] += 1;
        }
        assert!(fifths.iter().all(|&n| (150..=250).contains(&n)), "{fifths:?}");
    }
}
