//! Files that nobody may have swapped.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::{fs::File, io, path::Path};

use thiserror::Error;

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

use crate::path::{Untrusted, follow};
use crate::standing::{Standing, Whose};

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
/// itself, its standing tells, which is that of what was opened. What is no regular file is an error, and
/// a FIFO hangs nobody.
///
/// # Errors
/// [`OpenError`].
pub fn open(path: &Path) -> Result<(File, Standing), OpenError> {
    open_judging(path, Whose::RootsOrOurs)
}

/// The same, if nobody but root can have put it there.
///
/// # Errors
/// [`OpenError`].
pub fn open_of_root(path: &Path) -> Result<(File, Standing), OpenError> {
    open_judging(path, Whose::Roots)
}

fn open_judging(path: &Path, whose: Whose) -> Result<(File, Standing), OpenError> {
    // Where there is none, there is nothing to distrust: most homes have no config.
    path.symlink_metadata()?;
    let path = follow(path, whose).map_err(|untrusted| match untrusted {
        Untrusted::Look { source, .. } => OpenError::Io(source),
        untrusted => untrusted.into(),
    })?;
    let file = system::open(&path)?;
    let about = Standing::of(&file)?;
    if about.metadata().is_file() {
        Ok((file, about))
    } else {
        Err(io::Error::other("it is no regular file").into())
    }
}

/// Makes a file that is ours alone (0600), to write to it.
///
/// # Errors
/// Those of the system; [`io::ErrorKind::AlreadyExists`] if there is something of that name.
pub fn create_new(path: &Path) -> io::Result<File> {
    system::create_new(path)
}

/// Opens a file to read it and to add to it, and makes it, ours alone (0600), if it is not there. A link is not followed,
/// and a FIFO hangs nobody; whether it is a regular file, its standing tells.
///
/// # Errors
/// Those of the system.
pub fn open_to_append(path: &Path) -> io::Result<File> {
    system::open_to_append(path)
}
