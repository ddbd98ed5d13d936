//! A file is told from others by its volume and its number there.

use std::fs::OpenOptions;
use std::io;
use std::os::windows::fs::OpenOptionsExt as _;
use std::path::Path;

use securid_windows::file;

pub(super) use file::identity;

pub(super) type Identity = [u64; 2];

/// A link itself, and not what it leads to (FILE_FLAG_OPEN_REPARSE_POINT).
const NO_FOLLOWING: u32 = 0x0020_0000;

/// That of what has this name now. It is opened to be asked and for nothing else, so nobody is in its way.
pub(super) fn identity_at(path: &Path) -> io::Result<Identity> {
    identity(&OpenOptions::new().access_mode(0).custom_flags(NO_FOLLOWING).open(path)?)
}

/// NTFS writes the name down with the file, which is synced.
pub(super) fn sync_name(_: &Path) {}
