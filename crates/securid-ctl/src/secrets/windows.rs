//! Standard input as a file, and who may read files.

use std::{fs::File, io, os::windows::io::AsHandle as _, path::Path};

use securid_trust::{Standing, advice};

use crate::failure::Failure;

/// How text becomes UTF-8, as the end of a sentence. Of itself PowerShell 5.1 writes files in UTF-16.
pub(super) const HOW_UTF_8: &str = "; of PowerShell's, Set-Content has -Encoding utf8 for that, and what it passes on is so \
     after $OutputEncoding = [Text.UTF8Encoding]::new($false)";

/// Standard input, past its buffer.
///
/// # Errors
/// If there is none.
pub(super) fn stdin() -> io::Result<File> {
    io::stdin().as_handle().try_clone_to_owned().map(File::from)
}

/// Refuses a file that others may read.
///
/// # Errors
/// If it cannot be looked at.
pub(super) fn closed_to_others(
    file: &File,
    path: &Path,
    _: bool,
) -> io::Result<Result<(), Failure>> {
    if Standing::of(file)?.is_open_to_others() {
        let failure = Failure::usage(format!("others may read {}", path.display()));
        return Ok(Err(failure.with_hint(format!("Run: {}", advice::make_file_private(path)))));
    }
    Ok(Ok(()))
}
