//! Spans of time as people write them: `300ms`, `90s`, `15m`, `8h`, `400d`.
//!
//! One number and one unit: `1h30m` is `90m`, so that a value has few spellings and `grep` finds
//! it. The config file, the command line and the protocol share this grammar.

use std::time::Duration;

use securid_text::mention;
use thiserror::Error;

/// The longest span that can be written: a hundred years. Far beyond any use, and far below where
/// adding it to a clock's reading could overflow.
pub const LONGEST: Duration = Duration::from_secs(36_500 * 86_400);

/// The units from the largest down, each with its length in milliseconds.
const UNITS: [(&str, u64); 5] =
    [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// A text that is not a span of time.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BadDuration {
    /// It is no number followed by a unit.
    #[error(
        "{} is not a duration: write a whole number and one of ms, s, m, h, d, as in 90s",
        mention(.0)
    )]
    Malformed(String),
    /// It is longer than [`LONGEST`].
    #[error("{} is too long: at most 36500d", mention(.0))]
    TooLong(String),
}

/// Reads a span of time.
///
/// # Errors
/// [`BadDuration`] if the text is no whole number with a unit, or means more than [`LONGEST`].
pub fn parse_duration(text: &str) -> Result<Duration, BadDuration> {
    let malformed = || BadDuration::Malformed(text.to_owned());
    let too_long = || BadDuration::TooLong(text.to_owned());
    let unit_at = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(malformed)?;
    let (number, unit) = text.split_at(unit_at);
    let (_, length) = UNITS.into_iter().find(|(name, _)| *name == unit).ok_or_else(malformed)?;
    if number.is_empty() {
        return Err(malformed());
    }
    // Digits alone, so that only a number too great can fail from here on.
    let number: u64 = number.parse().map_err(|_| too_long())?;
    let span = number.checked_mul(length).map(Duration::from_millis).ok_or_else(too_long)?;
    if span > LONGEST { Err(too_long()) } else { Ok(span) }
}

/// Writes a span of time in the largest unit that divides it; what is finer than a millisecond is
/// dropped. [`parse_duration`] reads the result back.
#[must_use]
pub fn format_duration(span: Duration) -> String {
    let millis = span.as_millis();
    let whole = UNITS.into_iter().find(|(_, length)| millis.is_multiple_of(u128::from(*length)));
    match whole {
        Some((unit, length)) if millis > 0 => format!("{}{unit}", millis / u128::from(length)),
        _ => "0s".to_owned(),
    }
}

/// For `#[serde(with = …)]` on an optional parameter that holds a span of time.
pub(crate) mod optional {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use super::{format_duration, parse_duration};

    // serde asks for this signature.
    #[allow(clippy::ref_option)]
    pub(crate) fn serialize<S: Serializer>(
        span: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match span {
            Some(span) => serializer.serialize_str(&format_duration(*span)),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| parse_duration(&text).map_err(D::Error::custom)).transpose()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_contract_s_own_examples() {
        for (text, millis) in [
            ("300ms", 300),
            ("90s", 90_000),
            ("15m", 900_000),
            ("8h", 28_800_000),
            ("400d", 34_560_000_000),
            ("0s", 0),
            ("36500d", 3_153_600_000_000),
        ] {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration() {
        for text in
            ["", "s", "5", "-5s", "+5s", "1.5h", "5 s", " 5s", "5s ", "1h30m", "5S", "٥s", "never"]
        {
            assert_eq!(parse_duration(text), Err(BadDuration::Malformed(text.into())), "{text}");
        }
        for text in ["36501d", "99999999999999999999s", "18446744073709551615d"] {
            assert_eq!(parse_duration(text), Err(BadDuration::TooLong(text.into())), "{text}");
        }
    }

    #[test]
    fn the_largest_unit_that_fits() {
        for text in ["300ms", "90s", "15m", "8h", "400d", "0s", "1001ms", "25h"] {
            assert_eq!(format_duration(parse_duration(text).unwrap()), text);
        }
        assert_eq!(format_duration(Duration::from_secs(3600)), "1h");
        assert_eq!(format_duration(Duration::from_micros(1_999)), "1ms");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(millis in 0..=3_153_600_000_000_u64) {
            let span = Duration::from_millis(millis);
            prop_assert_eq!(parse_duration(&format_duration(span)), Ok(span));
        }

        #[test]
        fn no_text_is_too_much(text in ".*") {
            let _ = parse_duration(&text);
        }
    }
}
