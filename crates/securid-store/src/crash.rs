//! Where a test can let the process die, and what the process did to files until then.
//!
//! A point stands between two effects: after what its name says, before whatever comes next. With the
//! feature `crash-points`, which no release has, these variables of the environment act on it:
//!
//! - `SECURID_CRASH_AT=NAME#N`: abort at the `N`th pass of that point, counted from 1;
//! - `SECURID_PANIC_AT=NAME#N`: panic there, saying what `SECURID_PANIC_SAYING` says;
//! - `SECURID_CRASH_TRACE=FILE`: append a line of JSON for each point that is passed, and for each
//!   [`FileOp`]. What a power cut leaves can be worked out from it.
//!
//! Without the feature nothing of it is compiled.

#[cfg(all(unix, feature = "crash-points"))]
mod unix;
#[cfg(all(windows, feature = "crash-points"))]
mod windows;

use std::fmt::Display;
use std::path::Path;

#[cfg(all(unix, feature = "crash-points"))]
use unix as system;
#[cfg(all(windows, feature = "crash-points"))]
use windows as system;

/// Something that was done to a file or folder. Bytes and names are on the platter only after the
/// sync of the file, or of the folder that has the name.
#[cfg_attr(feature = "crash-points", derive(serde::Serialize))]
#[cfg_attr(feature = "crash-points", serde(tag = "op", rename_all = "kebab-case"))]
#[cfg_attr(not(feature = "crash-points"), expect(dead_code, reason = "only a trace reads it"))]
#[derive(Debug, Clone, Copy)]
pub(crate) enum FileOp<'a> {
    /// A folder was made.
    MakeFolder { path: &'a Path },
    /// An empty file was made.
    Create { path: &'a Path },
    /// Bytes were added at the end of a file.
    Append { path: &'a Path, bytes: &'a [u8] },
    /// A file was cut to this length.
    Cut { path: &'a Path, len: u64 },
    /// A file's bytes were synced.
    Sync { path: &'a Path },
    /// A file got another name, perhaps in place of another.
    Rename { from: &'a Path, to: &'a Path },
    /// A file was removed.
    Remove { path: &'a Path },
    /// A folder's names were synced.
    SyncFolder { path: &'a Path },
}

/// A point of this name is passed; `about` says for whom, in the trace.
#[inline]
pub fn point(name: &str, about: impl Display) {
    #[cfg(feature = "crash-points")]
    armed::pass(name, &about.to_string(), None);
    #[cfg(not(feature = "crash-points"))]
    let _ = (name, about);
}

/// A task or thread of this name is about to do a piece of its work: it can be made to panic, no more. No
/// effect that a crash could cut off is near.
#[inline]
pub fn at_work(name: &str) {
    #[cfg(feature = "crash-points")]
    armed::panic_if_told(name, 1);
    #[cfg(not(feature = "crash-points"))]
    let _ = name;
}

/// A file operation was carried out on `what` (`record-active`); this is the point `what.op`.
#[inline]
pub(crate) fn did(what: &str, op: FileOp<'_>) {
    #[cfg(feature = "crash-points")]
    armed::pass(&format!("{what}.{}", op.name()), "", Some(op));
    #[cfg(not(feature = "crash-points"))]
    let _ = (what, op);
}

#[cfg(feature = "crash-points")]
impl FileOp<'_> {
    fn name(&self) -> &'static str {
        match self {
            Self::MakeFolder { .. } => "folder-made",
            Self::Create { .. } => "created",
            Self::Append { .. } => "written",
            Self::Cut { .. } => "cut",
            Self::Sync { .. } => "synced",
            Self::Rename { .. } => "renamed",
            Self::Remove { .. } => "removed",
            Self::SyncFolder { .. } => "folder-synced",
        }
    }
}

#[cfg(feature = "crash-points")]
mod armed {
    use std::collections::HashMap;
    use std::env;
    use std::fs::OpenOptions;
    use std::io::Write;
    use std::sync::{LazyLock, Mutex, PoisonError};

    use serde::Serialize;

    use super::{FileOp, system};

    #[derive(Serialize)]
    struct Line<'a> {
        point: &'a str,
        /// Which pass of this point it is.
        pass: u32,
        about: &'a str,
        #[serde(flatten)]
        op: Option<FileOp<'a>>,
    }

    static WHERE: LazyLock<Option<String>> = LazyLock::new(|| env::var("SECURID_CRASH_AT").ok());
    static PANIC: LazyLock<Option<String>> = LazyLock::new(|| env::var("SECURID_PANIC_AT").ok());
    static PASSES: LazyLock<Mutex<HashMap<String, u32>>> = LazyLock::new(Mutex::default);

    /// Under the lock, so that the trace has the order in which things were done.
    pub(super) fn pass(point: &str, about: &str, op: Option<FileOp<'_>>) {
        let mut passes = PASSES.lock().unwrap_or_else(PoisonError::into_inner);
        let count = passes.entry(point.to_owned()).or_default();
        *count += 1;
        let pass = *count;
        if let Ok(file) = env::var("SECURID_CRASH_TRACE") {
            let line = serde_json::to_string(&Line { point, pass, about, op }).unwrap_or_default();
            let trace = OpenOptions::new().create(true).append(true).open(file);
            let _ = trace.and_then(|mut trace| trace.write_all(format!("{line}\n").as_bytes()));
        }
        if WHERE.as_deref().is_some_and(|at| at == format!("{point}#{pass}")) {
            system::no_core_file();
            std::process::abort();
        }
        drop(passes);
        panic_if_told(point, pass);
    }

    /// What it says is put together while it runs, as the words of an `expect` are.
    pub(super) fn panic_if_told(point: &str, pass: u32) {
        if PANIC.as_deref().is_some_and(|at| at == format!("{point}#{pass}")) {
            panic!("told to panic: {}", env::var("SECURID_PANIC_SAYING").unwrap_or_default());
        }
    }
}
