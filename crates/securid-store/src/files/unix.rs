//! Files as Unix has them: modes, and flags at opening.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;

pub(super) use std::fs::{remove_file, rename};

/// Opens a file, or makes it (0600), to read its end and to add to it.
pub(super) fn open_to_append(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)
}

/// Opens a file, or makes it (0600), as it is, to be locked and written to.
pub(crate) fn open_to_lock(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

/// Opens whatever is there to read it: a FIFO hangs nobody.
pub(super) fn open_anything(path: &Path) -> io::Result<File> {
    open_with(path, OFlags::NONBLOCK)
}

/// The same, but a link is not followed: it does not open.
pub(super) fn open_unfollowed(path: &Path) -> io::Result<File> {
    open_with(path, OFlags::NONBLOCK | OFlags::NOFOLLOW)
}

fn open_with(path: &Path, flags: OFlags) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)
}

/// Writes the names in a folder to the disk.
pub(super) fn flush_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Nothing here fails because somebody else has a file open at the moment.
pub(super) fn patiently<T>(mut work: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    work()
}

/// What tells one version of a file from another without reading it.
#[derive(PartialEq, Eq)]
pub(crate) struct Stamp([u64; 3], [i64; 4]);

impl Stamp {
    /// That of an open file, of which this is known.
    #[expect(clippy::unnecessary_wraps, reason = "elsewhere the file is asked for it")]
    pub(crate) fn of(_: &File, about: &Metadata) -> io::Result<Self> {
        let times = [about.mtime(), about.mtime_nsec(), about.ctime(), about.ctime_nsec()];
        Ok(Self([about.dev(), about.ino(), about.len()], times))
    }
}
