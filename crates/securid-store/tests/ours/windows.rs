//! On Windows: lists of who may do what, and no symbolic links, which not everybody may make.

use std::fs::{self, File};
use std::path::Path;

use securid_trust::{Standing, folder};
use tempfile::TempDir;

/// As the daemon makes its own.
pub(crate) fn private_folder() -> TempDir {
    let home = tempfile::tempdir().unwrap();
    fs::remove_dir(home.path()).unwrap();
    folder::make_one(home.path()).unwrap();
    home
}

pub(crate) fn is_private_file(path: &Path) -> bool {
    let standing = Standing::of(&File::open(path).unwrap()).unwrap();
    standing.is_trusted() && !standing.is_open_to_others() && !standing.is_writable_by_others()
}

pub(crate) fn is_private_folder(path: &Path) -> bool {
    folder::check_private(path).is_ok()
}

/// Something that is no file.
pub(crate) fn no_file(at: &Path) {
    fs::create_dir(at).unwrap();
}

/// Another name of a file, which may be taken away.
pub(crate) fn leftover(of: &Path, at: &Path) {
    fs::hard_link(of, at).unwrap();
}
