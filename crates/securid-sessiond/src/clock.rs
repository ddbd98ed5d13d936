//! The machine's clocks, and an alarm that keeps counting while the machine sleeps.
//!
//! Each system has a clock that counts from the boot, never jumps and counts sleep, and its own way to be
//! woken by it. An [`Alarm`] rings once, at a reading of that clock; tokio's own timers stand still while the
//! machine sleeps, and a deadline that passed in the night must be enforced in the morning.
//!
//! - `linux`: CLOCK_BOOTTIME, and a timerfd on it
//! - `windows`: the ticks since the start; a timer, and Windows' word that the machine has woken
//! - `macos`: CLOCK_MONOTONIC, and a timer that looks at it now and then
//! - `timer`: what the latter two share

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(not(target_os = "linux"))]
mod timer;
#[cfg(windows)]
mod windows;

use jiff::Timestamp;
use securid_session::Moment;

#[cfg(target_os = "linux")]
pub(crate) use linux::{Alarm, now};
#[cfg(target_os = "macos")]
pub(crate) use macos::{Alarm, now};
#[cfg(windows)]
pub(crate) use windows::{Alarm, now};

/// A time on the wall clock as the protocol writes it: RFC 3339, UTC, to the second.
pub(crate) fn rfc3339(unix_millis: i64) -> String {
    let seconds = unix_millis.div_euclid(1000);
    Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH).to_string()
}

/// The same to the millisecond, for lines that must keep their order.
pub(crate) fn rfc3339_millis(unix_millis: i64) -> String {
    let at = Timestamp::from_millisecond(unix_millis).unwrap_or(Timestamp::UNIX_EPOCH);
    format!("{at:.3}")
}

/// What the wall clock will show at that reading of the boot clock, as far as one knows at `now`.
pub(crate) fn wall_time(at: Moment, now: Moment) -> String {
    rfc3339(unix(at, now))
}

/// The same in milliseconds.
pub(crate) fn unix(at: Moment, now: Moment) -> i64 {
    let ahead = i128::from(at.since_boot) - i128::from(now.since_boot);
    i64::try_from(i128::from(now.unix) + ahead).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn times_are_written_in_utc_to_the_second() {
        assert_eq!(rfc3339(1_800_000_000_999), "2027-01-15T08:00:00Z");
        let now = Moment { since_boot: 10_000, unix: 1_800_000_000_000 };
        let ahead = Moment { since_boot: 70_000, unix: 0 };
        assert_eq!(wall_time(ahead, now), "2027-01-15T08:01:00Z");
    }

    #[tokio::test]
    async fn the_alarm_rings_for_what_has_passed_and_for_what_comes() {
        let mut alarm = Alarm::new().unwrap();
        for at in [1, now().since_boot + 20] {
            alarm.set(Some(at)).unwrap();
            let rung = tokio::time::timeout(std::time::Duration::from_secs(10), alarm.ring()).await;
            rung.unwrap().unwrap();
            assert!(now().since_boot >= at);
        }
    }
}
