//! How files are opened: without waiting for the other end of a FIFO, and no link.

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use rustix::fs::OFlags;

/// What is opened is what is there, and at once.
const SOBERLY: OFlags = OFlags::NONBLOCK.union(OFlags::NOFOLLOW);

/// To read it.
pub(super) fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(SOBERLY.bits().cast_signed()).open(path)
}

/// A new one, ours alone.
pub(super) fn create_new(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// To read it and to add to it; ours alone if it is new.
pub(super) fn open_to_append(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true).mode(0o600);
    options.custom_flags(SOBERLY.bits().cast_signed()).open(path)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::{
        fs::{self, Permissions},
        io::{self, Read as _},
        os::unix::fs::{PermissionsExt as _, symlink},
    };

    use crate::file::{OpenError, open};

    #[test]
    fn only_a_regular_file_in_a_folder_that_nobody_else_can_write_to() {
        let home = tempfile::tempdir().unwrap();
        let (file, link) = (home.path().join("file"), home.path().join("link"));
        fs::write(&file, "text").unwrap();
        symlink(&file, &link).unwrap();
        let mut text = String::new();
        open(&link).unwrap().0.read_to_string(&mut text).unwrap();
        assert_eq!(text, "text");
        assert!(matches!(open(home.path()), Err(OpenError::Io(_))));
        fs::set_permissions(home.path(), Permissions::from_mode(0o777)).unwrap();
        assert!(matches!(open(&file), Err(OpenError::Untrusted(_))));
        let missing = open(&home.path().join("none"));
        assert!(
            matches!(missing, Err(OpenError::Io(error)) if error.kind() == io::ErrorKind::NotFound)
        );
    }
}
