//! On stderr where somebody can see it, else in a file in the state folder, and in the Event Log what is urgent.
//!
//! At log-on the daemon is started without a terminal. It is a console program all the same, because `--check-config` and
//! `--drain` belong into scripts, which wait for such programs alone and see what they say. So Windows opens a window for it,
//! which closes again at once: nobody else is at that console, and the daemon lets go of it. A console that is somebody else's, as
//! of a shell, and whatever else stderr leads to, as the file of `securid-ctl start`, are kept.
//!
//! - `file`: the log in the state folder

mod file;

use std::io::{self, Write as _};
use std::os::windows::io::AsRawHandle as _;
use std::path::PathBuf;
use std::sync::OnceLock;

use securid_ipc::panics;
use securid_progress::above_the_bar;
use securid_windows::event_log::{Urgency, report};
use securid_windows::own_console;
use securid_windows::sequences::take_sequences;
use tracing::{Event, Level};

use super::lines::Text;
use file::LogFile;

/// In whose name we write into the Event Log.
const SOURCE: &str = "securid-sessiond";

/// Where the log is, if nobody sees stderr; for the last words.
static UNSEEN: OnceLock<PathBuf> = OnceLock::new();

/// What is written in one piece.
pub(super) struct Told {
    level: Level,
    line: Vec<u8>,
}

/// As what an event is told.
#[derive(Debug, Clone, Copy)]
pub(super) struct Form(Text);

impl Form {
    pub(super) fn told(self, event: &Event<'_>) -> Told {
        Told { level: *event.metadata().level(), line: self.0.told(event) }
    }

    pub(super) fn said(self, text: &str) -> Told {
        Told { level: Level::ERROR, line: self.0.said(text) }
    }
}

/// Where it is written to.
pub(super) enum Output {
    /// Where a bar may show how far `--drain` has come.
    Stderr,
    /// Nobody sees it, and there may be no state folder.
    Unseen(Option<LogFile>),
}

impl Output {
    /// Stderr if there is one, else a file in that folder.
    pub(super) fn choose(state_dir: impl FnOnce() -> Option<PathBuf>) -> (Self, Form) {
        let unseen = own_console::leave() || io::stderr().as_raw_handle().is_null();
        let output = if unseen {
            let file = state_dir().map(LogFile::within);
            if let Some(file) = &file {
                let _ = UNSEEN.set(file.folder().to_owned());
            }
            Self::Unseen(file)
        } else {
            // Without it an older console would show the codes of colours instead of these.
            let _ = take_sequences(&io::stderr());
            Self::Stderr
        };
        (output, Form(Text::for_stderr()))
    }

    /// Writes a line. Nobody can be told that it failed.
    pub(super) fn write(&mut self, Told { level, line }: &Told, _: usize) {
        match self {
            Self::Stderr => drop(above_the_bar(|| io::stderr().write_all(line))),
            Self::Unseen(file) => {
                let _ = file.as_mut().map(|file| file.add(line));
                tell_event_log(*level, &String::from_utf8_lossy(line));
            }
        }
    }
}

/// Says it past the queue.
pub(super) fn last_words(words: &str) {
    match UNSEEN.get() {
        Some(folder) => {
            let _ = LogFile::within(folder.clone()).add(format!("{words}\n").as_bytes());
            tell_event_log(Level::ERROR, words);
        }
        None => panics::tell_on_stderr(words),
    }
}

/// What somebody who looks for the machine's troubles should find.
fn tell_event_log(level: Level, words: &str) {
    let urgency = match level {
        Level::ERROR => Urgency::Error,
        Level::WARN => Urgency::Warning,
        _ => return,
    };
    let _ = report(SOURCE, urgency, words.trim_end());
}
