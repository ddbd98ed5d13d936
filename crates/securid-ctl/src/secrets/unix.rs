//! Standard input as a file, and the modes of files.

use std::{
    fs::File,
    io,
    os::{fd::AsFd as _, unix::fs::MetadataExt as _},
    path::Path,
};

use crate::failure::Failure;

/// How text becomes UTF-8, as the end of a sentence: it is anyway.
pub(super) const HOW_UTF_8: &str = "";

/// Standard input, past its buffer.
///
/// # Errors
/// If there is none.
pub(super) fn stdin() -> io::Result<File> {
    io::stdin().as_fd().try_clone_to_owned().map(File::from)
}

/// Refuses a file that others may read.
///
/// # Errors
/// If it cannot be looked at.
pub(super) fn closed_to_others(
    file: &File,
    path: &Path,
    is_credential: bool,
) -> io::Result<Result<(), Failure>> {
    let shown = path.display();
    let mode = file.metadata()?.mode() & 0o7777;
    // From version 254 on systemd's credentials are root's, and an access list lets the service read them: 0440.
    let too_open = if is_credential { 0o037 } else { 0o077 };
    if mode & too_open != 0 {
        let message = format!("others may read {shown} (mode {mode:04o})");
        return Ok(Err(Failure::usage(message).with_hint(format!("Run: chmod 600 {shown}"))));
    }
    Ok(Ok(()))
}
