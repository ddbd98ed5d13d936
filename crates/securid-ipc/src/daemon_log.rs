//! The daemon's log in the state folder, where nobody manages it: which file that is, and how long it may become. Who starts
//! the daemon opens it, or the daemon itself where nobody sees its stderr.

use std::fs::rename;
use std::path::{Path, PathBuf};

/// How long the log of earlier daemons may be, in bytes, for another to add to it: weeks of it. Then it is put aside,
/// in the place of the one before.
const LONGEST: u64 = 1024 * 1024;

/// The log's place in this folder, from which one that is too long has been put aside.
#[must_use]
pub fn place(state_dir: &Path) -> PathBuf {
    let path = state_dir.join("sessiond.log");
    if path.symlink_metadata().is_ok_and(|log| log.len() > LONGEST) {
        // If that fails, it only grows on.
        let _ = rename(&path, state_dir.join("sessiond.log.1"));
    }
    path
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs::{self, File};

    use super::*;

    #[test]
    fn one_that_is_too_long_is_put_aside() {
        let state = tempfile::tempdir().unwrap();
        let log = place(state.path());
        assert!(!log.exists(), "it is made by whoever opens it");
        let aside = state.path().join("sessiond.log.1");
        for (len, stays) in [(LONGEST, true), (LONGEST + 1, false)] {
            File::create(&log).unwrap().set_len(len).unwrap();
            assert_eq!(place(state.path()), log);
            assert_eq!((log.exists(), aside.exists()), (stays, !stays));
        }
        assert_eq!(fs::metadata(aside).unwrap().len(), LONGEST + 1);
    }
}
