//! Numbers and times as people write them.

use securid_manual::drawing::number;

use crate::clock::{DAY, HOUR, Instant, MINUTE, SECOND};

/// `12.3`, or `123` where the tenth says nothing.
pub(crate) fn rate(rate: f64) -> String {
    if rate < 100.0 { format!("{rate:.1}") } else { number(rate.round() as u64) }
}

/// `4 min 58 s`.
pub(crate) fn span(span: Instant) -> String {
    let (hours, minutes, seconds) = (span / HOUR, span % HOUR / MINUTE, span % MINUTE / SECOND);
    match (hours, minutes) {
        (0, 0) => format!("{seconds} s"),
        (0, _) => format!("{minutes} min {seconds} s"),
        _ => format!("{hours} h {minutes} min"),
    }
}

/// `18:31:05`, or `8:05:58 the next day`.
pub(crate) fn time(at: Instant) -> String {
    let (hour, minute, second) = (at % DAY / HOUR, at % HOUR / MINUTE, at % MINUTE / SECOND);
    let day = if at < DAY { "" } else { " the next day" };
    format!("{hour}:{minute:02}:{second:02}{day}")
}
