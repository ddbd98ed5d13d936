//! Spans of time, each with its own bounds.

use std::time::Duration;

use securid_ipc::duration::{format_duration, parse_duration};
use securid_text::mention;

use super::{Given, Setting};

/// A span of time that must be longer than nothing.
#[derive(Debug, Clone, Copy)]
pub(in crate::config) struct Span(pub(in crate::config) Duration);

impl Setting for Span {
    const TAKES: &'static str = "a duration";

    fn read(given: &Given) -> Result<Self, String> {
        positive(given.text(Self::TAKES)?).map(Self)
    }

    fn written(&self) -> Option<String> {
        Some(format_duration(self.0))
    }
}

/// A limit: a span of time, or `never`.
#[derive(Debug, Clone, Copy)]
pub(in crate::config) struct Limit(pub(in crate::config) Option<Duration>);

impl Setting for Limit {
    const TAKES: &'static str = "a duration, or never";

    fn read(given: &Given) -> Result<Self, String> {
        or_never(given.text(Self::TAKES)?, positive).map(Self)
    }

    fn written(&self) -> Option<String> {
        written_or_never(self.0)
    }
}

/// How long there has to be nothing to do, or `never`.
#[derive(Debug, Clone, Copy)]
pub(in crate::config) struct Emptiness(pub(in crate::config) Option<Duration>);

impl Emptiness {
    /// A client that asks twice in a row, as a script does, is to find the same daemon.
    const LEAST: Duration = Duration::from_secs(1);
}

impl Setting for Emptiness {
    const TAKES: &'static str = "a duration of at least 1s, or never";

    fn read(given: &Given) -> Result<Self, String> {
        or_never(given.text(Self::TAKES)?, |text| at_least(Self::LEAST, text)).map(Self)
    }

    fn written(&self) -> Option<String> {
        written_or_never(self.0)
    }
}

/// How long an ended session stays in the history, or `never` for without an end.
#[derive(Debug, Clone, Copy)]
pub(in crate::config) struct HistoryKeep(pub(in crate::config) Option<Duration>);

impl HistoryKeep {
    /// A logout that is repeated, as by a script of the same day, is to find the end of its session.
    const LEAST: Duration = Duration::from_secs(24 * 60 * 60);
}

impl Setting for HistoryKeep {
    const TAKES: &'static str = "a duration of at least 1d, or never";

    fn read(given: &Given) -> Result<Self, String> {
        or_never(given.text(Self::TAKES)?, |text| at_least(Self::LEAST, text)).map(Self)
    }

    fn written(&self) -> Option<String> {
        written_or_never(self.0)
    }
}

fn or_never(
    text: &str,
    read: impl Fn(&str) -> Result<Duration, String>,
) -> Result<Option<Duration>, String> {
    if text == "never" {
        return Ok(None);
    }
    read(text).map(Some).map_err(|problem| format!("{problem}; or never"))
}

fn at_least(least: Duration, text: &str) -> Result<Duration, String> {
    match parse_duration(text) {
        Ok(span) if span < least => {
            let least = format_duration(least);
            Err(format!("{} is too short: write at least {least}", mention(text)))
        }
        Ok(span) => Ok(span),
        Err(error) => Err(error.to_string()),
    }
}

fn positive(text: &str) -> Result<Duration, String> {
    match parse_duration(text) {
        Ok(span) if span.is_zero() => {
            Err(format!("{} is no time at all: write at least 1ms", mention(text)))
        }
        Ok(span) => Ok(span),
        Err(error) => Err(error.to_string()),
    }
}

fn written_or_never(span: Option<Duration>) -> Option<String> {
    Some(span.map_or_else(|| "never".to_owned(), format_duration))
}
