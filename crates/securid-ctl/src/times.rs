//! Times for people: relative ones in tables, and those that they type.

use std::collections::HashMap;

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, DateTime},
    tz::TimeZone,
};
use securid_ipc::duration::parse_duration;

/// `3m ago`, `in 7h`, `now`; a text that is no time stays as it is.
pub(crate) fn relative(time: &str, now: Timestamp) -> String {
    let Ok(time) = time.parse::<Timestamp>() else { return time.to_owned() };
    let ahead = time.duration_since(now);
    match (ahead.as_secs(), ahead.is_negative()) {
        (0, _) => "now".to_owned(),
        (_, true) => format!("{} ago", rough(ahead)),
        (_, false) => format!("in {}", rough(ahead)),
    }
}

/// How many times [`Relative`] knows at most: some hundred bytes each.
const MOST_KNOWN: usize = 1_000;

/// The same for a table: of thousands of times many are the same second, and to read one takes longer than to find it.
#[derive(Debug)]
pub(crate) struct Relative {
    now: Timestamp,
    said: HashMap<String, String>,
}

impl Relative {
    pub(crate) fn to(now: Timestamp) -> Self {
        Self { now, said: HashMap::new() }
    }

    pub(crate) fn say(&mut self, time: &str) -> String {
        if let Some(said) = self.said.get(time) {
            return said.clone();
        }
        if self.said.len() >= MOST_KNOWN {
            self.said.clear();
        }
        let said = relative(time, self.now);
        self.said.insert(time.to_owned(), said.clone());
        said
    }
}

/// How long before now this was; nothing if it is no time.
pub(crate) fn since(time: &str, now: Timestamp) -> Option<String> {
    time.parse::<Timestamp>().ok().map(|time| rough(now.duration_since(time)))
}

/// How long until then, to be looked at while it passes: `14m 59s`, `7h 59m`, `3d 4h`; nothing less than `0s`.
pub(crate) fn countdown(until: Timestamp, now: Timestamp) -> String {
    let seconds = u64::try_from(until.duration_since(now).as_secs()).unwrap_or(0);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{}h {:02}m", seconds / 3_600, seconds / 60 % 60),
        _ => format!("{}d {}h", seconds / 86_400, seconds / 3_600 % 24),
    }
}

/// How much later the second is; nothing if there is none, or one is no time.
pub(crate) fn between(first: &str, second: Option<&str>) -> Option<String> {
    let (first, second): (Timestamp, Timestamp) = (first.parse().ok()?, second?.parse().ok()?);
    Some(rough(second.duration_since(first)))
}

/// One number and one unit: the largest of which there are at least two, as a rule, so that `90m`
/// is not `1h`.
fn rough(span: SignedDuration) -> String {
    let seconds = span.as_secs().unsigned_abs();
    match seconds {
        0..120 => format!("{seconds}s"),
        120..7_200 => format!("{}m", nearest(seconds, 60)),
        7_200..172_800 => format!("{}h", nearest(seconds, 3_600)),
        _ => format!("{}d", nearest(seconds, 86_400)),
    }
}

/// So that a session of 15 minutes does not end "in 14m" from its first second on.
fn nearest(seconds: u64, unit: u64) -> u64 {
    (seconds + unit / 2) / unit
}

/// How a day is written, `2026-11-22`: so many characters.
const DAY: usize = 10;

/// Reads a time on the command line: RFC 3339, a day (its start in UTC, wherever it is asked, so that reports of several
/// machines agree), or a duration ago.
pub(crate) fn parse_time(text: &str) -> Result<Timestamp, String> {
    parse_time_at(text, Timestamp::now())
}

fn parse_time_at(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    let wrong = || {
        "write 2026-11-22T12:00:00Z, 2026-11-22 (when it begins in UTC), or how long ago, as 90m or 7d"
            .to_owned()
    };
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time);
    }
    if text.len() == DAY
        && let Ok(day) = text.parse::<Date>()
    {
        return day.to_zoned(TimeZone::UTC).map(|start| start.timestamp()).map_err(|_| wrong());
    }
    if text.len() > DAY && text.parse::<DateTime>().is_ok() {
        return Err("add Z for UTC, or how far from it, as +02:00".to_owned());
    }
    let ago = parse_duration(text).map_err(|_| wrong())?;
    now.checked_sub(ago).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    fn now() -> Timestamp {
        "2026-11-22T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn times_are_seen_from_now() {
        for (time, seen) in [
            ("2026-11-22T12:00:00Z", "now"),
            ("2026-11-22T12:00:00.7Z", "now"),
            ("2026-11-22T11:58:01Z", "119s ago"),
            ("2026-11-22T11:57:00Z", "3m ago"),
            ("2026-11-22T12:00:30Z", "in 30s"),
            ("2026-11-22T13:30:00Z", "in 90m"),
            ("2026-11-22T12:14:58Z", "in 15m"),
            ("2026-11-22T12:14:28Z", "in 14m"),
            ("2026-11-22T20:00:00Z", "in 8h"),
            ("2026-11-12T12:00:00Z", "10d ago"),
            ("soon", "soon"),
        ] {
            assert_eq!(relative(time, now()), seen, "{time}");
        }
    }

    #[test]
    fn countdowns_are_seen_to_pass() {
        for (time, seen) in [
            ("2026-11-22T11:59:00Z", "0s"),
            ("2026-11-22T12:00:59Z", "59s"),
            ("2026-11-22T12:14:05Z", "14m 05s"),
            ("2026-11-22T20:00:00Z", "8h 00m"),
            ("2026-11-24T15:59:00Z", "2d 3h"),
        ] {
            assert_eq!(countdown(time.parse().unwrap(), now()), seen, "{time}");
        }
    }

    #[test]
    fn typed_times_become_rfc_3339() {
        for (typed, time) in [
            ("2026-11-22T12:00:00Z", "2026-11-22T12:00:00Z"),
            ("2026-11-22T12:00:00+02:00", "2026-11-22T10:00:00Z"),
            ("2026-07-01T00:00:00-05:30", "2026-07-01T05:30:00Z"),
            ("2026-11-01", "2026-11-01T00:00:00Z"),
            ("2024-02-29", "2024-02-29T00:00:00Z"),
            ("90m", "2026-11-22T10:30:00Z"),
            ("7d", "2026-11-15T12:00:00Z"),
        ] {
            assert_eq!(parse_time_at(typed, now()).unwrap().to_string(), time, "{typed}");
        }
        for wrong in
            ["", "yesterday", "2026-13-01", "2026-02-29", "7", "12:00", "20261122", "99999d9h"]
        {
            let error = parse_time_at(wrong, now()).unwrap_err();
            assert!(error.starts_with("write "), "{wrong}: {error}");
        }
        for nowhere in ["2026-11-22T12:00:00", "2026-11-22 12:00"] {
            let error = parse_time_at(nowhere, now()).unwrap_err();
            assert!(error.starts_with("add Z"), "{nowhere}: {error}");
        }
    }
}
