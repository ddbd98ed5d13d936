//! The lock as Unix has it: it is on the file, and does not keep anybody from reading it.

use std::fs::{File, TryLockError};
use std::io;

/// Locks the file at once or not at all; whether that worked.
pub(super) fn try_lock(file: &File) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use std::os::unix::fs::PermissionsExt;

    use super::super::StateLock;

    #[test]
    fn a_folder_that_is_open_to_others_is_refused() {
        let home = tempfile::tempdir().unwrap();
        std::fs::set_permissions(home.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        let error = StateLock::take(home.path()).unwrap_err();
        assert!(error.to_string().contains("is open to others (mode 0777)"), "{error}");
    }
}
