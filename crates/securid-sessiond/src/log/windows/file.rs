//! The log in the state folder, as `securid-ctl start` has it as well.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use securid_ipc::daemon_log;
use securid_trust::{folder, open_to_append};

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

/// Ours alone, as the folder is.
fn open(folder: &Path) -> io::Result<File> {
    folder::private_with_parents(folder).map_err(io::Error::other)?;
    open_to_append(&daemon_log::place(folder))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;

    use securid_trust::Standing;

    use super::*;

    #[test]
    fn lines_are_added_to_what_is_closed_to_others() {
        let state = tempfile::tempdir().unwrap();
        let folder = state.path().join("made when needed");
        let log = folder.join("sessiond.log");
        LogFile::within(folder.clone()).add(b"1\n").unwrap();
        LogFile::within(folder.clone()).add(b"2\n").unwrap();
        assert_eq!(fs::read(&log).unwrap(), b"1\n2\n");
        let standing = Standing::at(&log).unwrap();
        assert!(!standing.is_open_to_others(), "{}", standing.access());
    }
}
