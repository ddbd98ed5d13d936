//! Under which path a state folder's secrets are filed: the one that it had when it was first used.
//!
//! The names of keyring entries are made from it. A folder that was moved would otherwise look for its
//! secrets under names that no store knows, and call its sessions lost.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::io;
use std::path::{Path, PathBuf};

use super::error::DiskError;
use super::identity::Identity;
use crate::files;
#[cfg(unix)]
use unix::{LONGEST, NEWLINE, bytes_of, path_of};
#[cfg(windows)]
use windows::{LONGEST, NEWLINE, bytes_of, path_of};

/// The path under which the secrets of this (existing) folder are filed on this machine; at its first
/// use that is written down.
///
/// # Errors
/// If the folder is a copy of one that is still in its place: the secrets are that one's. And if it
/// cannot be resolved, or what was written down cannot be read.
pub fn filed_under(state_dir: &Path, identity: &Identity) -> Result<PathBuf, DiskError> {
    let (path, is_noted) = look(state_dir, identity)?;
    if !is_noted {
        let name = note(identity);
        let line = [&*bytes_of(&path), NEWLINE].concat();
        let written =
            files::replace(state_dir, &name, &format!(".tmp-{name}"), &line, "filed-under")
                .and_then(|()| files::sync_folder(state_dir, "filed-under"));
        if let Err(error) = written {
            // It matters only once the folder is moved; the next start tries again.
            tracing::warn!(%error, "where this folder is could not be written down");
        }
    }
    Ok(path)
}

/// The same, and whether it is written down. Changes nothing.
pub(super) fn look(state_dir: &Path, identity: &Identity) -> Result<(PathBuf, bool), DiskError> {
    let canonical = |path: &Path| path.canonicalize();
    let here = canonical(state_dir).map_err(|e| DiskError::new("resolve", state_dir, &e))?;
    let note = state_dir.join(note(identity));
    let first = match files::read_at_most(&note, LONGEST) {
        Ok(text) => text.as_deref().and_then(|text| text.strip_suffix(NEWLINE)).map(path_of),
        Err(e) if e.kind() == io::ErrorKind::NotFound => None,
        Err(e) => return Err(DiskError::new("read", &note, &e)),
    };
    let Some(first) = first else { return Ok((here, false)) };
    match canonical(&first) {
        Ok(there) if there != here => Err(DiskError::copied(state_dir, &first)),
        // It was moved, perhaps with a link in its old place.
        _ => Ok((first, true)),
    }
}

/// In a home that machines share, each has its own.
fn note(identity: &Identity) -> String {
    format!("filed-under-{}", identity.short())
}
