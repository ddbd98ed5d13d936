//! Folders that are ours alone: made with 0700, checked before use, with the way to them.

use std::{
    fs::{self, DirBuilder},
    io,
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _},
    path::{Path, PathBuf},
};

use thiserror::Error;

use crate::path::{Untrusted, real_path, whom};

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
    /// Somebody else could put another in its place.
    #[error(transparent)]
    Untrusted(Untrusted),
    /// It is a file, a socket; or a symbolic link, where there may be none.
    #[error("{path} is not a folder of its own: move it away, or name another", path = path.display())]
    NotAFolder {
        /// Which.
        path: PathBuf,
    },
    /// It is somebody else's.
    #[error(
        "the folder {path} belongs to {owner}, not to uid {us}: \
         name another, or have its owner run: chown {us} {path}",
        path = path.display(), owner = whom(*owner)
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

/// Checks that a folder is ours alone: our own, no permission for others, and nobody else can put another
/// in its place ([`real_path`]).
///
/// # Errors
/// [`FolderError`] if it is not.
pub fn check_private(path: &Path) -> Result<(), FolderError> {
    let path = real_path(path)?;
    let found = fs::symlink_metadata(&path)
        .map_err(|source| FolderError::Look { path: path.clone(), source })?;
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

impl From<Untrusted> for FolderError {
    fn from(untrusted: Untrusted) -> Self {
        match untrusted {
            Untrusted::Look { path, source } => Self::Look { path, source },
            untrusted => Self::Untrusted(untrusted),
        }
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
    fn refuses_a_file_and_follows_a_link_of_ours_to_what_it_judges() {
        let home = tempfile::tempdir().unwrap();
        let (real, link, file) =
            (home.path().join("real"), home.path().join("link"), home.path().join("file"));
        private(&real).unwrap();
        symlink(&real, &link).unwrap();
        fs::write(&file, "").unwrap();
        assert!(matches!(private(&file), Err(FolderError::NotAFolder { .. })));
        private_with_parents(&link).unwrap();
        fs::set_permissions(&real, fs::Permissions::from_mode(0o750)).unwrap();
        assert!(matches!(private(&link), Err(FolderError::Open { mode: 0o750, .. })));
    }

    #[test]
    fn refuses_one_that_others_could_replace() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("ours");
        private(&folder).unwrap();
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let refused = private(&folder).unwrap_err();
        assert!(matches!(refused, FolderError::Untrusted(Untrusted::Writable { .. })), "{refused}");
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
