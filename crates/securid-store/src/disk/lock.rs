//! One daemon per state folder.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::error::DiskError;
use crate::files;

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
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                let _ = file.take(16).read_to_string(&mut text);
                return Err(LockError::Held { path, pid: text.trim().parse().ok() });
            }
            Err(TryLockError::Error(e)) => return Err(failed(e).into()),
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

    #[test]
    fn a_folder_that_is_open_to_others_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let home = tempfile::tempdir().unwrap();
        std::fs::set_permissions(home.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        let error = StateLock::take(home.path()).unwrap_err();
        assert!(error.to_string().contains("is open to others (mode 0777)"), "{error}");
    }
}
