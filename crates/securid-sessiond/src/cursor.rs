//! Where the next page of the history begins, as a text that clients hand back.

use std::cmp::Reverse;
use std::fmt;
use std::str::FromStr;

use securid_ipc::messages::{ErrorCode, RpcError};
use securid_store::{HistoryLine, Mark};

/// How the cursor of an ended session begins that the history did not have yet.
const FRESH: &str = "fresh.";

/// The last ended session of a page.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Cursor {
    /// One that the history did not have yet.
    Fresh(Place),
    /// A line of the history.
    Past(Mark),
}

/// Where one stands among those that the history does not have yet: the latest first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    ended_ms: Reverse<i64>,
    id: String,
    generation: u64,
}

impl Place {
    pub(crate) fn of(line: &HistoryLine) -> Self {
        let ended_ms = Reverse(line.ended_at.as_millisecond());
        Self { ended_ms, id: line.id.clone(), generation: line.generation }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fresh(Place { ended_ms: Reverse(at), id, generation }) => {
                write!(f, "{FRESH}{at}.{generation}.{id}")
            }
            Self::Past(mark) => write!(f, "{mark}"),
        }
    }
}

impl FromStr for Cursor {
    type Err = RpcError;

    fn from_str(text: &str) -> Result<Self, RpcError> {
        let not_ours = || RpcError::new(ErrorCode::Params, "this cursor is not one of ours");
        let Some(place) = text.strip_prefix(FRESH) else {
            return text.parse().map(Self::Past).map_err(|_| not_ours());
        };
        let mut parts = place.splitn(3, '.');
        let mut part = || parts.next().ok_or_else(not_ours);
        let (at, generation, id) = (part()?, part()?, part()?);
        let at: i64 = at.parse().map_err(|_| not_ours())?;
        let generation = generation.parse().map_err(|_| not_ours())?;
        Ok(Self::Fresh(Place { ended_ms: Reverse(at), id: id.to_owned(), generation }))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_went() {
        for text in ["fresh.-5.7.00000000000000ab", "0.1.0123456789abcdef", "77.0.0123456789abcdef"]
        {
            assert_eq!(text.parse::<Cursor>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "5",
            "fresh.",
            "fresh.x.7.id",
            "1.2",
            "1.2.3",
            "-1.2.0123456789abcdef",
            "1.2.0123456789abcdef.3",
        ] {
            assert_eq!(text.parse::<Cursor>().unwrap_err().code, ErrorCode::Params, "{text}");
        }
    }
}
