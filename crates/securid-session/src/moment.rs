//! One reading of the machine's clocks, handed in with every event.

use std::time::Duration;

/// A reading of two clocks at one instant.
///
/// Deadlines are computed from `since_boot` alone, which counts sleep and never jumps
/// (CLOCK_BOOTTIME); `unix` is carried along for people and decides nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Moment {
    /// Milliseconds since the machine was booted, sleep included.
    pub since_boot: u64,
    /// Milliseconds since 1970-01-01T00:00:00Z by the wall clock.
    pub unix: i64,
}

impl Moment {
    /// The moment `span` later on both clocks; saturates at the end of their range.
    #[must_use]
    pub fn after(self, span: Duration) -> Self {
        let ms = millis(span);
        Self {
            since_boot: self.since_boot.saturating_add(ms),
            unix: self.unix.saturating_add_unsigned(ms),
        }
    }

    /// How long ago `earlier` was; zero if it is still to come.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.since_boot.saturating_sub(earlier.since_boot))
    }

    /// Whether this moment, taken as a deadline, has come at `now`.
    #[must_use]
    pub fn reached(self, now: Self) -> bool {
        self.since_boot <= now.since_boot
    }

    /// The later of the two, by the clock that deadlines use.
    #[must_use]
    pub fn later(self, other: Self) -> Self {
        if self.since_boot >= other.since_boot { self } else { other }
    }

    /// The earlier of the two, by the clock that deadlines use.
    #[must_use]
    pub fn earlier(self, other: Self) -> Self {
        if self.since_boot <= other.since_boot { self } else { other }
    }
}

/// Whole milliseconds; a span longer than the clock's range is the clock's range.
fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
