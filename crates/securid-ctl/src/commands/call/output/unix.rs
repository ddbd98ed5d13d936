//! Modes, and names of folders. Devices are files that are no regular ones.

use std::{
    fs::{File, Metadata, OpenOptions, Permissions},
    io,
    os::unix::{ffi::OsStrExt as _, fs::OpenOptionsExt as _},
    path::Path,
};

/// Read and written by this user, and nobody else.
const OURS_ALONE: u32 = 0o600;

/// The mode of a file.
pub(super) struct Rights(Permissions);

impl Rights {
    /// Those of the file that is there.
    ///
    /// # Errors
    /// None.
    pub(super) fn of(_: &Path, about: &Metadata) -> io::Result<Self> {
        Ok(Self(about.permissions()))
    }

    /// Gives them to a draft.
    ///
    /// # Errors
    /// Those of the system.
    pub(super) fn put_on(self, draft: &File) -> io::Result<()> {
        draft.set_permissions(self.0)
    }
}

/// Makes a draft: as any new file, or this user's alone until it has the rights of the one in whose place it comes. Whoever
/// could open it meanwhile could read it ever after.
///
/// # Errors
/// Those of the system; [`io::ErrorKind::AlreadyExists`] if there is something of that name.
pub(super) fn make(draft: &Path, rights: Option<&Rights>) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    if rights.is_some() {
        options.mode(OURS_ALONE);
    }
    options.open(draft)
}

/// # Errors
/// None: names may have anything in them.
pub(super) fn is_possible(_: &Path) -> io::Result<()> {
    Ok(())
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
