//! Folders that are ours alone: made so (0700), checked before use, with the way to them.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::{
    io,
    path::{Path, PathBuf},
};

use thiserror::Error;

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

use crate::advice;
use crate::path::{Untrusted, real_path};
use crate::standing::{Access, Owner, Standing, us, whom};

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
        "the folder {path} belongs to {owner}, not to {us}: \
         name another, or have its owner run: {advice}",
        path = path.display(), owner = whom(owner), advice = advice::give_to(us, path)
    )]
    NotOurs {
        /// Which.
        path: PathBuf,
        /// Whose it is.
        owner: Owner,
        /// Who we are.
        us: Owner,
    },
    /// Others may look into it or write to it.
    #[error(
        "the folder {path} is open to others ({access}): run {advice}",
        path = path.display(), advice = advice::make_folder_private(path)
    )]
    Open {
        /// Which.
        path: PathBuf,
        /// What whom may do there.
        access: Access,
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
    let found =
        Standing::at(&path).map_err(|source| FolderError::Look { path: path.clone(), source })?;
    if !found.metadata().is_dir() {
        return Err(FolderError::NotAFolder { path });
    }
    if !found.is_ours() {
        return Err(FolderError::NotOurs { path, owner: found.owner(), us: us() });
    }
    if found.is_open_to_others() {
        return Err(FolderError::Open { path, access: found.access() });
    }
    Ok(())
}

/// Makes one folder, ours alone; its parent has to be there.
///
/// # Errors
/// Those of the system; [`io::ErrorKind::AlreadyExists`] if there is something of that name.
pub fn make_one(path: &Path) -> io::Result<()> {
    system::make(path)
}

fn make(path: &Path, with_parents: bool) -> Result<(), FolderError> {
    system::may_be_made(path)?;
    let made = if with_parents { system::make_all(path) } else { system::make(path) };
    match made {
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
