//! Modes, and names of folders. Devices are files that are no regular ones.

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::{ffi::OsStrExt as _, fs::OpenOptionsExt as _},
    path::Path,
};

/// Read and written by this user, and nobody else.
const OURS_ALONE: u32 = 0o600;

/// Has a new file be this user's alone.
pub(super) fn ours_alone(options: &mut OpenOptions) {
    options.mode(OURS_ALONE);
}

/// Whether it can only be a folder, though there is nothing.
pub(super) fn names_a_folder(place: &Path) -> bool {
    place.as_os_str().as_bytes().ends_with(b"/")
}

/// No name is a device's by itself.
pub(super) fn is_device(_: &Path) -> bool {
    false
}

/// # Errors
/// Always: there is none.
pub(super) fn open_device(_: &Path) -> io::Result<File> {
    Err(io::ErrorKind::NotFound.into())
}
