//! Since when the history is whole, in a small file beside it.
//!
//! What has to go leaves no trace in the history itself, and `history_keep` may be raised afterwards, or a wall clock
//! that was far ahead be set right. So the time is written down before the lines go, and survives a power cut: one that
//! comes between leaves a history with more in it than it answers for. It is a file of its own because earlier versions
//! would take any line of the history that is no session for a damaged one.

use std::io;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};

use crate::disk::error::DiskError;
use crate::files;

/// The file's name, and what it is called while it is written. It has one line: a time as RFC 3339 has it.
pub(super) const FILE: &str = "history-since";
const TEMPORARY: &str = ".tmp-history-since";

/// No time has more bytes.
const LONGEST: u64 = 64;

/// The finest step of the times in the history.
const STEP: SignedDuration = SignedDuration::from_millis(1);

/// What this file says: none of those has gone that ended then or later. `None` if it is not there; and if it says
/// nothing that one can read, nothing until now is answered for.
pub(super) fn noted(path: &Path) -> Result<Option<Timestamp>, DiskError> {
    match files::read_at_most(path, LONGEST) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(DiskError::new("read", path, &e)),
        Ok(text) => Ok(Some(text.as_deref().and_then(time).unwrap_or_else(Timestamp::now))),
    }
}

/// Writes down, so that it survives a power cut, that those go which ended at `newest` or before.
pub(super) fn note(state_dir: &Path, newest: Timestamp) -> Result<(), DiskError> {
    let since = newest.saturating_add(STEP).unwrap_or(Timestamp::MAX);
    let noted = noted(&state_dir.join(FILE))?;
    let line = format!("{}\n", noted.map_or(since, |noted| noted.max(since)));
    files::replace(state_dir, FILE, TEMPORARY, line.as_bytes(), "history-since")?;
    files::sync_folder(state_dir, "history-since")
}

fn time(text: &[u8]) -> Option<Timestamp> {
    std::str::from_utf8(text).ok()?.strip_suffix('\n')?.parse().ok()
}
