//! A log that is its user's alone.

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

/// Opens the file to read it and to add to it, and makes it if it is not there.
///
/// # Errors
/// Those of the system.
pub(super) fn to_append(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).read(true).mode(0o600).open(path)
}
