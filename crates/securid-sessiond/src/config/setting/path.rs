//! Whether a path is one by which a file can be found, wherever the daemon was started.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::path::Path;

#[cfg(unix)]
pub(crate) use unix::is_possible;
#[cfg(windows)]
pub(crate) use windows::is_possible;

use crate::words;

/// # Errors
/// If it is not, with what to write.
pub(super) fn is_whole(path: &Path) -> Result<(), String> {
    is_possible(path)?;
    if path.is_relative() {
        return Err(format!("is a relative path: write the whole one, {}", words::WHOLE_PATH));
    }
    Ok(())
}
