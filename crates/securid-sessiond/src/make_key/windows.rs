//! Stdout as a handle. What a key is written in, a console shows as it is.

use std::fs::File;
use std::io;
use std::os::windows::io::AsHandle as _;

/// Stdout, without a buffer.
///
/// # Errors
/// If there is none.
pub(super) fn stdout() -> io::Result<File> {
    Ok(io::stdout().as_handle().try_clone_to_owned()?.into())
}
