//! What the daemon tells about itself: to the journal where stderr is the journal, else on stderr.
//!
//! - `telling`: which events are told, and as what
//! - `lines`: events as lines of text
//! - `to_journal`: events as the journal's entries, with fields to be searched by
//! - `writing`: what waits until it is written, and the thread that writes it

mod lines;
mod telling;
mod to_journal;
mod writing;

use std::io::{self, IsTerminal};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use securid_ipc::panics;
use securid_text::shown;
use securid_worker::Worker;
use tracing::Level;
use tracing::level_filters::LevelFilter;

use crate::journal::{self, Entry, Journal};
use telling::{Form, Telling};
use writing::{Lines, Output, tell};

/// How long the journal may take for the last words, of the 2 s that a panic has for all.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// How long an end waits for what was told before to be written: half of what a panic has for all.
const WRITTEN_WITHIN: Duration = Duration::from_secs(1);

/// What writes; there once the log has started.
static WORKER: OnceLock<Arc<Worker<Output>>> = OnceLock::new();

/// The log; it is written to its end when this is dropped.
pub(crate) struct Log {
    worker: Arc<Worker<Output>>,
    to_journal: bool,
}

/// Starts the log.
///
/// A thread beside writes, and where nobody reads what it writes (a stopped terminal, a full
/// pipe, a stopped journal), lines are dropped rather than the daemon held up. Only our own crates are as talkative as asked for: what libraries tell of
/// requests could hold secrets, so they are never heard below a warning.
pub(crate) fn start(level: LevelFilter) -> Log {
    let journal = journal::is_stderr().then(|| Journal::open(None).ok()).flatten();
    let to_journal = journal.is_some();
    // Set and not empty, as no-color.org has it.
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|set| !set.is_empty());
    let colour = io::stderr().is_terminal() && !no_color;
    let form = if to_journal { Form::Entries } else { Form::Lines { colour } };
    let output = journal.map_or(Output::Stderr, |journal| Output::Journal(journal.into()));
    let worker = Worker::new("log", Lines::default(), output);
    // They fail only if a log is running already, which then goes on.
    let _ = tracing::subscriber::set_global_default(Telling::new(level, form, Arc::clone(&worker)));
    let _ = WORKER.set(Arc::clone(&worker));
    Log { worker, to_journal }
}

/// Says why the process is about to end: behind what was told so far, but past the queue, which may be
/// full or without its thread.
pub(crate) fn last_words(words: &str) {
    if let Some(worker) = WORKER.get() {
        worker.settle(WRITTEN_WITHIN);
    }
    let told = journal::is_stderr()
        .then(|| Journal::open(Some(LAST_WORDS)).ok())
        .flatten()
        .is_some_and(|it| it.send(&Entry::new(Level::ERROR, words).into_bytes()).is_ok());
    if !told {
        panics::tell_on_stderr(words);
    }
}

impl Log {
    /// Says what went wrong to whoever started the program, whatever the level.
    pub(crate) fn say(&self, text: impl std::fmt::Display) {
        let lines: Vec<_> = text.to_string().lines().map(|line| shown(line).into_owned()).collect();
        let text = lines.join("\n");
        let bytes = if self.to_journal {
            Entry::new(Level::ERROR, &text).into_bytes()
        } else {
            format!("securid-sessiond: {text}\n").into_bytes()
        };
        // In one piece.
        tell(&self.worker, bytes);
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.worker.settle(WRITTEN_WITHIN);
    }
}
