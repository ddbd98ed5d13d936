//! Files that nobody may have swapped.

use std::{
    fs::{File, Metadata, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use rustix::fs::OFlags;
use thiserror::Error;

use crate::path::{Untrusted, Whose, follow};

/// Why a file is not opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Somebody else could put another in its place.
    #[error(transparent)]
    Untrusted(#[from] Untrusted),
    /// The system refuses, or it is no regular file.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Opens a file to read it, if nobody but root and us can have put it there. Who may write to the file
/// itself, its metadata tells, which are those of what was opened. What is no regular file is an error, and
/// a FIFO hangs nobody.
///
/// # Errors
/// [`OpenError`].
pub fn open(path: &Path) -> Result<(File, Metadata), OpenError> {
    open_judging(path, Whose::RootsOrOurs)
}

/// The same, if nobody but root can have put it there.
///
/// # Errors
/// [`OpenError`].
pub fn open_of_root(path: &Path) -> Result<(File, Metadata), OpenError> {
    open_judging(path, Whose::Roots)
}

fn open_judging(path: &Path, whose: Whose) -> Result<(File, Metadata), OpenError> {
    // Where there is none, there is nothing to distrust: most homes have no config.
    path.symlink_metadata()?;
    let path = follow(path, whose).map_err(|untrusted| match untrusted {
        Untrusted::Look { source, .. } => OpenError::Io(source),
        untrusted => untrusted.into(),
    })?;
    let flags = (OFlags::NONBLOCK | OFlags::NOFOLLOW).bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let about = file.metadata()?;
    if about.is_file() {
        Ok((file, about))
    } else {
        Err(io::Error::other("it is no regular file").into())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::{
        fs::{self, Permissions},
        io::Read as _,
        os::unix::fs::{PermissionsExt as _, symlink},
    };

    use super::*;

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
