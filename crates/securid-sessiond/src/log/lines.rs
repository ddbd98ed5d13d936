//! Events as lines of text.

use std::fmt::{Debug, Write};
use std::io::{self, IsTerminal as _};

use jiff::Timestamp;
use securid_text::shown;
use tracing::field::{Field, Visit};
use tracing::{Event, Level};

/// How lines look.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text {
    /// A person reads them on a terminal.
    colour: bool,
}

impl Text {
    /// For stderr as it is.
    pub(super) fn for_stderr() -> Self {
        // Set and not empty, as no-color.org has it.
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|set| !set.is_empty());
        Self { colour: io::stderr().is_terminal() && !no_color }
    }

    /// An event as a line.
    pub(super) fn told(self, event: &Event<'_>) -> Vec<u8> {
        line(event, Timestamp::now(), self.colour).into_bytes()
    }

    /// What is said to whoever started the program.
    pub(super) fn said(self, text: &str) -> Vec<u8> {
        format!("securid-sessiond: {text}\n").into_bytes()
    }
}

/// An event as a line, with its end: when, how urgent, what.
fn line(event: &Event<'_>, at: Timestamp, colour: bool) -> String {
    let level = *event.metadata().level();
    let mut line = if colour {
        let code = match level {
            Level::ERROR => 31,
            Level::WARN => 33,
            Level::INFO => 32,
            Level::DEBUG => 34,
            Level::TRACE => 35,
        };
        format!("\x1b[2m{at:.6}\x1b[0m \x1b[{code}m{level:>5}\x1b[0m")
    } else {
        format!("{at:.6} {level:>5}")
    };
    event.record(&mut Words(&mut line));
    line.push('\n');
    line
}

/// The message, and each field by its name.
struct Words<'a>(&'a mut String);

impl Visit for Words<'_> {
    /// What a server or a person said makes no lines of its own.
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.push(' ');
        if field.name() != "message" {
            // Writing to a string does not fail.
            let _ = write!(self.0, "{}=", field.name());
        }
        self.0.push_str(&shown(&format!("{value:?}")));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::{Arc, Mutex};

    use tracing::span::{Attributes, Id, Record};
    use tracing::{Metadata, Subscriber, debug, error, info, trace, warn};

    use super::*;

    /// Makes lines of events, all of one moment.
    struct Lines(Arc<Mutex<String>>, bool);

    impl Subscriber for Lines {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }
        fn new_span(&self, _: &Attributes<'_>) -> Id {
            Id::from_u64(1)
        }
        fn record(&self, _: &Id, _: &Record<'_>) {}
        fn record_follows_from(&self, _: &Id, _: &Id) {}
        fn event(&self, event: &Event<'_>) {
            let at = "2026-11-22T12:00:00.00070809Z".parse().unwrap();
            self.0.lock().unwrap().push_str(&line(event, at, self.1));
        }
        fn enter(&self, _: &Id) {}
        fn exit(&self, _: &Id) {}
    }

    fn told(colour: bool, tell: impl FnOnce()) -> String {
        let lines = Arc::new(Mutex::new(String::new()));
        tracing::subscriber::with_default(Lines(Arc::clone(&lines), colour), tell);
        lines.lock().unwrap().clone()
    }

    #[test]
    fn a_line_has_its_time_its_level_and_its_fields() {
        let lines = told(false, || {
            let session = "0123456789abcdef";
            info!(%session, outcome = "revoked", attempts = 2, "dead");
            warn!(evidence = "two\nlines", "od\u{202e}d\n{}", 7);
            error!(%session);
        });
        assert_eq!(
            lines,
            "2026-11-22T12:00:00.000708Z  INFO dead session=0123456789abcdef outcome=\"revoked\" attempts=2\n\
             2026-11-22T12:00:00.000708Z  WARN od\u{fffd}d\u{fffd}7 evidence=\"two\\nlines\"\n\
             2026-11-22T12:00:00.000708Z ERROR session=0123456789abcdef\n"
        );
    }

    #[test]
    fn on_a_terminal_the_level_has_a_colour() {
        let lines = told(true, || {
            error!("e");
            warn!("w");
            info!("i");
            debug!("d");
            trace!("t");
        });
        let time = "\x1b[2m2026-11-22T12:00:00.000708Z\x1b[0m";
        let line = |level: &str, word| format!("{time} \x1b[{level}\x1b[0m {word}\n");
        let levels = ["31mERROR", "33m WARN", "32m INFO", "34mDEBUG", "35mTRACE"];
        let expected: String =
            levels.iter().zip(["e", "w", "i", "d", "t"]).map(|(l, w)| line(l, w)).collect();
        assert_eq!(lines, expected);
    }
}
