//! Folders that the system makes for each user.

use std::{
    ffi::{CStr, OsStr},
    os::unix::ffi::OsStrExt as _,
    path::PathBuf,
};

/// Longer than any path is, in bytes, with its final zero.
const LONGEST: usize = libc::PATH_MAX as usize;

/// The folder for what only this user sees and what outlives a restart (`getconf DARWIN_USER_DIR`), whatever the
/// environment says; none if the system names none.
#[must_use]
pub fn of_the_user() -> Option<PathBuf> {
    let mut path = vec![0_u8; LONGEST];
    // SAFETY: the place is ours and as long as is said.
    let length =
        unsafe { libc::confstr(libc::_CS_DARWIN_USER_DIR, path.as_mut_ptr().cast(), path.len()) };
    if length == 0 || length > path.len() {
        return None;
    }
    let path = CStr::from_bytes_until_nul(&path).ok()?;
    Some(PathBuf::from(OsStr::from_bytes(path.to_bytes())))
}
