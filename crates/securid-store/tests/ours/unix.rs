//! On Unix: modes, and symbolic links.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use tempfile::TempDir;

/// As the daemon makes its own; the umask may give more.
pub(crate) fn private_folder() -> TempDir {
    let mode = Permissions::from_mode(0o700);
    tempfile::Builder::new().permissions(mode).tempdir().unwrap()
}

pub(crate) fn is_private_file(path: &Path) -> bool {
    mode(path) == 0o600
}

pub(crate) fn is_private_folder(path: &Path) -> bool {
    mode(path) == 0o700
}

/// Something that is no file, and can be read without end.
pub(crate) fn no_file(at: &Path) {
    symlink("/dev/zero", at).unwrap();
}

/// Another name of a file, which may be taken away.
pub(crate) fn leftover(of: &Path, at: &Path) {
    symlink(of, at).unwrap();
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}
