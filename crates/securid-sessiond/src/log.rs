//! What the daemon tells about itself, on stderr.

use std::io::{IsTerminal, Write};

use tracing::level_filters::LevelFilter;
use tracing_appender::non_blocking::{NonBlocking, WorkerGuard};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// The log; it is written to its end when this is dropped.
pub(crate) struct Log {
    writer: NonBlocking,
    _guard: WorkerGuard,
}

/// Starts the log.
///
/// A thread of its own writes, and where nobody reads what it writes (a stopped terminal, a full
/// pipe), lines are dropped rather than the daemon held up. Only our own crates are as talkative as asked for: what libraries tell of
/// requests and D-Bus messages could hold secrets, so they are never heard below a warning.
pub(crate) fn start(level: LevelFilter) -> Log {
    let (writer, guard) = tracing_appender::non_blocking(std::io::stderr());
    let targets = Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        .with_target("securid_sessiond", level)
        .with_target("securid_store", level)
        .with_target("securid_ipc", level)
        .with_target("securid_api", level);
    // Set and not empty, as no-color.org has it.
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|set| !set.is_empty());
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(writer.clone())
        .with_ansi(std::io::stderr().is_terminal() && !no_color)
        .with_target(false);
    // It fails only if a log is running already, which then goes on.
    let _ = tracing_subscriber::registry().with(targets).with(lines).try_init();
    Log { writer, _guard: guard }
}

impl Log {
    /// Says something to whoever started the program, whatever the level.
    pub(crate) fn say(&self, text: impl std::fmt::Display) {
        // In one piece; nobody can be told that it failed.
        let _ = self.writer.clone().write_all(format!("securid-sessiond: {text}\n").as_bytes());
    }
}
