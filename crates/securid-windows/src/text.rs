//! Text as the system takes it.

use std::{ffi::OsStr, io, iter, os::windows::ffi::OsStrExt as _};

/// In UTF-16, with its final zero.
///
/// # Errors
/// If there is a zero in it before.
pub(crate) fn wide(text: &OsStr) -> io::Result<Vec<u16>> {
    let wide: Vec<_> = text.encode_wide().collect();
    if wide.contains(&0) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "there is a zero in it"));
    }
    Ok(wide.into_iter().chain(iter::once(0)).collect())
}
