//! One daemon per state folder.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use super::error::DiskError;
use crate::files;
#[cfg(unix)]
use unix::try_lock;
#[cfg(windows)]
use windows::try_lock;

/// Holds the lock of a state folder as long as it lives; the kernel lets go of it when the process
/// ends, however it ends.
#[derive(Debug)]
pub struct StateLock {
    _file: File,
}

/// The lock could not be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LockError {
    /// Another process has it.
    #[error("{} is in use by {}", path.display(), pid.map_or("another process".to_owned(), |pid| format!("process {pid}")))]
    Held {
        /// The lock file.
        path: PathBuf,
        /// The process, if it has written its number into the file yet.
        pid: Option<u32>,
    },
    /// The lock file could not be made or locked.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

impl StateLock {
    /// Takes the lock of this state folder; makes the folder (0700) if need be.
    ///
    /// # Errors
    /// If another process has it, or if there can be no lock here.
    pub fn take(state_dir: &Path) -> Result<Self, LockError> {
        files::find_own_folder(state_dir)?;
        let path = state_dir.join("lock");
        let failed = |e| DiskError::new("lock", &path, &e);
        // Not truncated: until the lock is ours, what is in it is the other's number.
        let mut file = files::open_to_lock(&path).map_err(failed)?;
        if !try_lock(&file).map_err(failed)? {
            let mut text = String::new();
            let _ = file.take(16).read_to_string(&mut text);
            return Err(LockError::Held { path, pid: text.trim().parse().ok() });
        }
        // The number is for people; the lock holds without it.
        let _ = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{}", std::process::id()));
        Ok(Self { _file: file })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    #[test]
    fn a_second_daemon_is_told_who_has_it() {
        let home = tempfile::tempdir().unwrap();
        let state = home.path().join("state");
        let lock = StateLock::take(&state).unwrap();
        let pid = Some(std::process::id());
        let path = state.join("lock");
        assert_eq!(StateLock::take(&state).unwrap_err(), LockError::Held { path, pid });
        drop(lock);
        StateLock::take(&state).unwrap();
    }
}
