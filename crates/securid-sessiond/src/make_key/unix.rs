//! Stdout as a descriptor.

use std::fs::File;
use std::io;
use std::os::fd::AsFd as _;

/// Stdout, without a buffer.
///
/// # Errors
/// If it is closed, or no descriptor is left.
pub(super) fn stdout() -> io::Result<File> {
    Ok(io::stdout().as_fd().try_clone_to_owned()?.into())
}
