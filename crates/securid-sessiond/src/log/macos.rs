//! On stderr; of a daemon that launchd has started, that is the file that its agent names.

use std::io::{self, Write as _};
use std::path::PathBuf;

pub(super) use securid_ipc::panics::tell_on_stderr as last_words;
use securid_progress::above_the_bar;

pub(super) use super::lines::Text as Form;

/// What is written in one piece.
pub(super) type Told = Vec<u8>;

/// Where it is written to: stderr, where a bar may show how far `--drain` has come.
pub(super) struct Output;

impl Output {
    /// There is no other.
    pub(super) fn choose(_: impl FnOnce() -> Option<PathBuf>) -> (Self, Form) {
        (Self, Form::for_stderr())
    }

    /// Writes a line.
    pub(super) fn write(&mut self, line: &Told, _: usize) {
        // Nobody can be told that it failed.
        let _ = above_the_bar(|| io::stderr().write_all(line));
    }
}
