//! Simulated time: milliseconds since midnight before the scenario's first day.

use securid_session::Moment;

/// A moment, or a span, in milliseconds.
pub(crate) type Instant = u64;

pub(crate) const MILLISECOND: Instant = 1;
pub(crate) const SECOND: Instant = 1_000 * MILLISECOND;
pub(crate) const MINUTE: Instant = 60 * SECOND;
pub(crate) const HOUR: Instant = 60 * MINUTE;
pub(crate) const DAY: Instant = 24 * HOUR;

/// As the machine reads it. No two clocks of a fleet agree, but none is compared with another either.
pub(crate) fn moment(at: Instant) -> Moment {
    Moment { since_boot: at, unix: at.cast_signed() }
}
