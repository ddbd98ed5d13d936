//! What can go wrong on disk.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Something could not be done on disk. Clonable, since one failed sync is the answer to many callers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiskError {
    /// What sort of failure it is.
    pub kind: DiskErrorKind,
    /// What was to be done, as a verb: `write`.
    pub doing: &'static str,
    /// With which file or folder.
    pub path: PathBuf,
    /// The system's words for it.
    pub cause: String,
}

/// The sorts of failure that are worth telling apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DiskErrorKind {
    /// No space, or no quota, is left.
    Full,
    /// The file system is read-only.
    ReadOnly,
    /// The file or its folder is not there.
    Gone,
    /// The permissions do not allow it.
    Denied,
    /// The folder is somebody else's, or open to others.
    Unsafe,
    /// The folder is a copy of one that is still in its place.
    Copied,
    /// The disk's thread has ended.
    Stopped,
    /// Anything else.
    Other,
}

impl DiskError {
    pub(crate) fn new(doing: &'static str, path: &Path, cause: &io::Error) -> Self {
        use io::ErrorKind;
        let kind = match cause.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
                DiskErrorKind::Full
            }
            ErrorKind::ReadOnlyFilesystem => DiskErrorKind::ReadOnly,
            ErrorKind::NotFound => DiskErrorKind::Gone,
            ErrorKind::PermissionDenied => DiskErrorKind::Denied,
            _ => DiskErrorKind::Other,
        };
        Self { kind, doing, path: path.to_owned(), cause: cause.to_string() }
    }

    pub(crate) fn refused(path: &Path, cause: String) -> Self {
        Self { kind: DiskErrorKind::Unsafe, doing: "use", path: path.to_owned(), cause }
    }

    pub(super) fn copied(path: &Path, of: &Path) -> Self {
        let cause = format!("it is a copy of {}, and the secrets are that one's", of.display());
        Self { kind: DiskErrorKind::Copied, doing: "use", path: path.to_owned(), cause }
    }

    pub(super) fn stopped(path: &Path) -> Self {
        let cause = "its thread has ended".to_owned();
        Self { kind: DiskErrorKind::Stopped, doing: "use", path: path.to_owned(), cause }
    }
}

impl fmt::Display for DiskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {} {}: {}", self.doing, self.path.display(), self.cause)
    }
}

impl std::error::Error for DiskError {}
