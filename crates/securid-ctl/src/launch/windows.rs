//! A log that is its user's alone, as all that is in the state folder.

use std::{
    fs::{File, OpenOptions},
    io,
    path::Path,
};

/// Opens the file to read it and to add to it, and makes it if it is not there.
///
/// # Errors
/// Those of the system.
pub(super) fn to_append(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).read(true).open(path)
}
