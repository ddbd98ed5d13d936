//! What the daemon tells about itself, each system in its own place.
//!
//! - `telling`: which events are told
//! - `lines`: events as lines of text
//! - `writing`: what waits until it is written, and the thread that writes it
//! - `linux`, `macos`, `windows`: as what it is told, and where to

mod lines;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;
mod telling;
#[cfg(windows)]
mod windows;
mod writing;

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use securid_text::shown;
use securid_worker::Worker;
use tracing::level_filters::LevelFilter;

#[cfg(target_os = "linux")]
use linux as system;
#[cfg(target_os = "macos")]
use macos as system;
use system::{Form, Output, Told};
use telling::Telling;
#[cfg(windows)]
use windows as system;
use writing::{Lines, tell};

/// How long an end waits for what was told before to be written: half of what a panic has for all.
const WRITTEN_WITHIN: Duration = Duration::from_secs(1);

/// What writes; there once the log has started.
static WORKER: OnceLock<Arc<Worker<Output>>> = OnceLock::new();

/// The log; it is written to its end when this is dropped.
pub(crate) struct Log {
    worker: Arc<Worker<Output>>,
    form: Form,
}

/// Starts the log.
///
/// A thread beside writes, and where nobody reads what it writes (a stopped terminal, a full
/// pipe, a stopped journal), lines are dropped rather than the daemon held up. Only our own crates are as talkative as asked for: what libraries tell of
/// requests could hold secrets, so they are never heard below a warning.
///
/// `state_dir`: the folder for a log of its own, should this system want one.
pub(crate) fn start(level: LevelFilter, state_dir: impl FnOnce() -> Option<PathBuf>) -> Log {
    let (output, form) = Output::choose(state_dir);
    let worker = Worker::new("log", Lines::default(), output);
    // They fail only if a log is running already, which then goes on.
    let _ = tracing::subscriber::set_global_default(Telling::new(level, form, Arc::clone(&worker)));
    let _ = WORKER.set(Arc::clone(&worker));
    Log { worker, form }
}

/// Says why the process is about to end: behind what was told so far, but past the queue, which may be
/// full or without its thread.
pub(crate) fn last_words(words: &str) {
    if let Some(worker) = WORKER.get() {
        worker.settle(WRITTEN_WITHIN);
    }
    system::last_words(words);
}

impl Log {
    /// Says what went wrong to whoever started the program, whatever the level.
    pub(crate) fn say(&self, text: impl std::fmt::Display) {
        let lines: Vec<_> = text.to_string().lines().map(|line| shown(line).into_owned()).collect();
        let text = lines.join("\n");
        tell(&self.worker, self.form.said(&text));
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.worker.settle(WRITTEN_WITHIN);
    }
}
