//! What the daemon tells about itself: to the journal where stderr is the journal, else on stderr.
//!
//! - `to_journal`: events as the journal's entries, with fields to be searched by

mod to_journal;

use std::io::{self, IsTerminal, Write};
use std::sync::Mutex;
use std::time::Duration;

use securid_ipc::panics;
use securid_progress::above_the_bar;
use securid_text::shown;
use tracing::Level;
use tracing::level_filters::LevelFilter;
use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::field::MakeExt;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::debug_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::journal::{self, Entry, Journal};

/// How long the journal may take for the last words, of the 2 s that a panic has for all.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// The thread that writes. Let go, it writes what waits, for about a second at most.
static THREAD: Mutex<Option<WorkerGuard>> = Mutex::new(None);

/// How many lines wait where nobody takes them, before further ones are dropped: some 3 MB, and minutes of a busy
/// daemon's log. The queue has its room from the start; the library's own limit would be 4 MB of it, mostly empty.
const WAITING: usize = 10_000;

/// The log; it is written to its end when this is dropped.
pub(crate) struct Log {
    writer: NonBlocking,
    to_journal: bool,
}

/// Starts the log.
///
/// A thread of its own writes, and where nobody reads what it writes (a stopped terminal, a full
/// pipe, a stopped journal), lines are dropped rather than the daemon held up. Only our own crates are as talkative as asked for: what libraries tell of
/// requests and D-Bus messages could hold secrets, so they are never heard below a warning.
pub(crate) fn start(level: LevelFilter) -> Log {
    let journal = journal::is_stderr().then(|| Journal::open(None).ok()).flatten();
    let to_journal = journal.is_some();
    let (writer, guard) = match journal {
        Some(journal) => to_journal::thread(journal),
        None => NonBlockingBuilder::default().buffered_lines_limit(WAITING).finish(Terminal),
    };
    let targets = Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        .with_target("securid_sessiond", level)
        .with_target("securid_store", level)
        .with_target("securid_ipc", level)
        .with_target("securid_api", level);
    // Set and not empty, as no-color.org has it.
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|set| !set.is_empty());
    let lines = (!to_journal).then(|| {
        tracing_subscriber::fmt::layer()
            .with_writer(writer.clone())
            // What a server or a person said makes no lines of its own.
            .fmt_fields(
                debug_fn(|to, field, value| {
                    let value = format!("{value:?}");
                    match field.name() {
                        "message" => write!(to, "{}", shown(&value)),
                        name => write!(to, "{name}={}", shown(&value)),
                    }
                })
                .delimited(" "),
            )
            .with_ansi(io::stderr().is_terminal() && !no_color)
            .with_target(false)
    });
    let entries = to_journal.then(|| to_journal::ToJournal(writer.clone()));
    // It fails only if a log is running already, which then goes on.
    let _ = tracing_subscriber::registry().with(targets).with(lines).with(entries).try_init();
    if let Ok(mut thread) = THREAD.lock() {
        *thread = Some(guard);
    }
    Log { writer, to_journal }
}

/// Stderr, where a bar may show how far `--drain` has come.
struct Terminal;

impl Write for Terminal {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        above_the_bar(|| io::stderr().write(line))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// Says why the process is about to end: behind what was told so far, but past the queue, which may be
/// full or without its thread.
pub(crate) fn last_words(words: &str) {
    write_to_the_end();
    let told = journal::is_stderr()
        .then(|| Journal::open(Some(LAST_WORDS)).ok())
        .flatten()
        .is_some_and(|it| it.send(&Entry::new(Level::ERROR, words).into_bytes()).is_ok());
    if !told {
        panics::tell_on_stderr(words);
    }
}

fn write_to_the_end() {
    if let Ok(mut thread) = THREAD.try_lock() {
        *thread = None;
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
        // In one piece; nobody can be told that it failed.
        let _ = self.writer.clone().write_all(&bytes);
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        write_to_the_end();
    }
}
