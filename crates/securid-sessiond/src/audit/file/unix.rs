//! A file is told from others by its device and inode.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

pub(super) type Identity = (u64, u64);

/// That of what is open.
pub(super) fn identity(file: &File) -> io::Result<Identity> {
    file.metadata().map(|about| of(&about))
}

/// That of what has this name now.
pub(super) fn identity_at(path: &Path) -> io::Result<Identity> {
    path.symlink_metadata().map(|about| of(&about))
}

fn of(about: &Metadata) -> Identity {
    (about.dev(), about.ino())
}

/// Has the names in a folder outlive a power cut. One that we may not read cannot be synced by us.
pub(super) fn sync_name(folder: &Path) {
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
}
