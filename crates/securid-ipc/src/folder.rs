//! Folders that are ours alone: made with 0700, checked before use.
//!
//! A socket or a record in a folder that somebody else may write to could be swapped for another.
//! Only the folder itself is looked at: whoever may write to the folders above it is root, or the
//! user, or one whom the administrator trusts.

use std::{
    fs::{self, DirBuilder},
    io,
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _},
    path::{Path, PathBuf},
};

use thiserror::Error;

/// Why a folder is not used. Each says what to do.
#[derive(Debug, Error)]
pub enum FolderError {
    /// It could not be made.
    #[error("cannot make the folder {path}: {source}", path = path.display())]
    Make {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It could not be looked at.
    #[error("cannot look at the folder {path}: {source}", path = path.display())]
    Look {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It is a symbolic link, a file, a socket.
    #[error("{path} is not a folder of its own: move it away, or name another", path = path.display())]
    NotAFolder {
        /// Which.
        path: PathBuf,
    },
    /// It is somebody else's.
    #[error(
        "the folder {path} belongs to uid {owner}, not to uid {us}: \
         name another, or have its owner run: chown {us} {path}",
        path = path.display()
    )]
    NotOurs {
        /// Which.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
        /// Who we are.
        us: u32,
    },
    /// Others may look into it or write to it.
    #[error(
        "the folder {path} is open to others (mode {mode:04o}): run chmod 700 {path}",
        path = path.display()
    )]
    Open {
        /// Which.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
}

/// Makes the folder with 0700 if it is missing, its parent being there, and checks it either way.
///
/// # Errors
/// [`FolderError`] if it cannot be made, or is not ours alone.
pub fn private(path: &Path) -> Result<(), FolderError> {
    make(path, false)?;
    check_private(path)
}

/// Like [`private`], and makes missing folders above it too, also with 0700 (as the XDG base
/// directory specification asks).
///
/// # Errors
/// [`FolderError`] if it cannot be made, or is not ours alone.
pub fn private_with_parents(path: &Path) -> Result<(), FolderError> {
    make(path, true)?;
    check_private(path)
}

/// Checks that a folder is ours alone: no symbolic link, our own, no permission for others.
///
/// # Errors
/// [`FolderError`] if it is not.
pub fn check_private(path: &Path) -> Result<(), FolderError> {
    let found = fs::symlink_metadata(path)
        .map_err(|source| FolderError::Look { path: path.to_owned(), source })?;
    let path = path.to_owned();
    if !found.is_dir() {
        return Err(FolderError::NotAFolder { path });
    }
    let us = rustix::process::geteuid().as_raw();
    if found.uid() != us {
        return Err(FolderError::NotOurs { path, owner: found.uid(), us });
    }
    let mode = found.mode() & 0o7777;
    if mode & 0o077 != 0 { Err(FolderError::Open { path, mode }) } else { Ok(()) }
}

fn make(path: &Path, with_parents: bool) -> Result<(), FolderError> {
    match DirBuilder::new().mode(0o700).recursive(with_parents).create(path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(source) => Err(FolderError::Make { path: path.to_owned(), source }),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn mode_of(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn makes_it_and_everything_above_it_private() {
        let home = tempfile::tempdir().unwrap();
        let (parent, folder) = (home.path().join("a"), home.path().join("a/b"));
        assert!(matches!(private(&folder), Err(FolderError::Make { .. })));
        private_with_parents(&folder).unwrap();
        assert_eq!((mode_of(&parent), mode_of(&folder)), (0o700, 0o700));
        private(&folder).unwrap();
    }

    #[test]
    fn refuses_what_others_may_enter_and_says_what_to_do() {
        let home = tempfile::tempdir().unwrap();
        for mode in [0o755, 0o710, 0o702, 0o1777] {
            fs::set_permissions(home.path(), fs::Permissions::from_mode(mode)).unwrap();
            let refused = private(home.path()).unwrap_err();
            assert!(matches!(refused, FolderError::Open { mode: m, .. } if m == mode));
            let advice = format!("chmod 700 {}", home.path().display());
            assert!(refused.to_string().contains(&advice), "{refused}");
        }
    }

    #[test]
    fn refuses_a_symlink_and_a_file() {
        let home = tempfile::tempdir().unwrap();
        let (real, link, file) =
            (home.path().join("real"), home.path().join("link"), home.path().join("file"));
        private(&real).unwrap();
        symlink(&real, &link).unwrap();
        fs::write(&file, "").unwrap();
        for wrong in [&link, &file] {
            assert!(matches!(private(wrong), Err(FolderError::NotAFolder { .. })));
        }
        assert!(matches!(private_with_parents(&link), Err(FolderError::NotAFolder { .. })));
    }

    #[test]
    fn refuses_somebody_else_s() {
        // Nobody but root owns it; as root, a folder is given away instead.
        let home = tempfile::tempdir().unwrap();
        let foreign = if rustix::process::geteuid().is_root() {
            std::os::unix::fs::chown(home.path(), Some(12_345), None).unwrap();
            home.path()
        } else {
            Path::new("/")
        };
        assert!(matches!(check_private(foreign), Err(FolderError::NotOurs { .. })));
    }
}
