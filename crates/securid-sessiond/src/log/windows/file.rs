//! The log in the state folder, as `securid-ctl start` has it as well.

use std::fs::{File, OpenOptions, rename};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use securid_trust::folder;

/// How long the log of earlier daemons may be, in bytes, for another to add to it: weeks of it. Then it is put aside,
/// in the place of the one before.
const LONGEST: u64 = 1024 * 1024;

/// Opened when there is something to be written.
pub(in crate::log) struct LogFile {
    folder: PathBuf,
    open: Option<File>,
}

impl LogFile {
    /// The one in this folder, which is made when it is needed.
    pub(super) fn within(folder: PathBuf) -> Self {
        Self { folder, open: None }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Adds a line.
    ///
    /// # Errors
    /// If it cannot be written, or the folder could be changed by others.
    pub(super) fn add(&mut self, line: &[u8]) -> io::Result<()> {
        let file = match &mut self.open {
            Some(file) => file,
            closed => closed.insert(open(&self.folder)?),
        };
        file.write_all(line)
    }
}

/// Whoever may read it is said by the folder, which is ours alone.
fn open(folder: &Path) -> io::Result<File> {
    folder::private_with_parents(folder).map_err(io::Error::other)?;
    let path = folder.join("sessiond.log");
    if path.symlink_metadata().is_ok_and(|log| log.len() > LONGEST) {
        // If that fails, it only grows on.
        let _ = rename(&path, folder.join("sessiond.log.1"));
    }
    OpenOptions::new().create(true).append(true).open(path)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;

    use super::*;

    #[test]
    fn one_that_is_too_long_is_put_aside() {
        let state = tempfile::tempdir().unwrap();
        let folder = state.path().join("made when needed");
        let log = folder.join("sessiond.log");
        LogFile::within(folder.clone()).add(b"1\n").unwrap();
        LogFile::within(folder.clone()).add(b"2\n").unwrap();
        assert_eq!(fs::read(&log).unwrap(), b"1\n2\n");
        File::options().write(true).open(&log).unwrap().set_len(LONGEST + 1).unwrap();
        LogFile::within(folder.clone()).add(b"3\n").unwrap();
        assert_eq!(fs::read(&log).unwrap(), b"3\n");
        assert_eq!(fs::metadata(folder.join("sessiond.log.1")).unwrap().len(), LONGEST + 1);
    }
}
