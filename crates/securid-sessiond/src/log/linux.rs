//! To the journal where stderr is the journal, else on stderr.
//!
//! - `to_journal`: events as the journal's entries, with fields to be searched by

mod to_journal;

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use securid_ipc::panics;
use securid_progress::above_the_bar;
use tracing::{Event, Level};

use super::lines::Text;
use crate::journal::{self, Entry, Journal};
use to_journal::{Sender, entry};

/// How long the journal may take for the last words, of the 2 s that a panic has for all.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// What is written in one piece.
pub(super) type Told = Vec<u8>;

/// As what an event is told.
#[derive(Debug, Clone, Copy)]
pub(super) enum Form {
    Lines(Text),
    Entries,
}

impl Form {
    pub(super) fn told(self, event: &Event<'_>) -> Told {
        match self {
            Self::Lines(text) => text.told(event),
            Self::Entries => entry(event).into_bytes(),
        }
    }

    pub(super) fn said(self, text: &str) -> Told {
        match self {
            Self::Lines(form) => form.said(text),
            Self::Entries => Entry::new(Level::ERROR, text).into_bytes(),
        }
    }
}

/// Where it is written to.
pub(super) enum Output {
    /// Where a bar may show how far `--drain` has come.
    Stderr,
    Journal(Sender),
}

impl Output {
    /// Whichever this process was given.
    pub(super) fn choose(_: impl FnOnce() -> Option<PathBuf>) -> (Self, Form) {
        match journal::is_stderr().then(|| Journal::open(None).ok()).flatten() {
            Some(journal) => (Self::Journal(journal.into()), Form::Entries),
            None => (Self::Stderr, Form::Lines(Text::for_stderr())),
        }
    }

    /// Writes a line; so many others were `dropped` so far, because too many waited.
    pub(super) fn write(&mut self, line: &Told, dropped: usize) {
        match self {
            // Nobody can be told that it failed.
            Self::Stderr => drop(above_the_bar(|| io::stderr().write_all(line))),
            Self::Journal(sender) => sender.send(line, dropped),
        }
    }
}

/// Says it past the queue.
pub(super) fn last_words(words: &str) {
    let told = journal::is_stderr()
        .then(|| Journal::open(Some(LAST_WORDS)).ok())
        .flatten()
        .is_some_and(|it| it.send(&Entry::new(Level::ERROR, words).into_bytes()).is_ok());
    if !told {
        panics::tell_on_stderr(words);
    }
}
