//! Modes and owners: chmod, chown.

use std::path::Path;

use crate::standing::{Owner, Whose};

/// Who may do everything.
pub const ROOT: &str = "root";

/// Nobody else can write to the file or folder any more.
#[must_use]
pub fn shut_writers_out(path: &Path) -> String {
    format!("chmod go-w {}", path.display())
}

/// The same, of a path that was just named.
#[must_use]
pub fn shut_writers_out_of_it(_: &Path) -> String {
    "chmod go-w on it".to_owned()
}

/// What was just named is root's, and nobody else can write to it.
#[must_use]
pub fn make_it_roots(_: &Path) -> String {
    "chown root and chmod go-w on it".to_owned()
}

/// What was just named is this user's, as the end of "run".
#[must_use]
pub fn take_it(_: &Path) -> String {
    "chown on it".to_owned()
}

/// The same, as the end of "name another, or".
#[must_use]
pub fn take_it_over(_: &Path) -> String {
    "chown it".to_owned()
}

/// Nobody else can do anything with the file any more.
#[must_use]
pub fn make_file_private(path: &Path) -> String {
    format!("chmod 600 {}", path.display())
}

/// Nobody else can do anything with the folder any more.
#[must_use]
pub fn make_folder_private(path: &Path) -> String {
    format!("chmod 700 {}", path.display())
}

/// What to do about a folder on the way in which others can replace things.
pub(crate) fn nobody_replaces(path: &Path, _: Whose) -> String {
    format!("name another place, or run {}", shut_writers_out(path))
}

/// It is this user's.
pub(crate) fn give_to(user: &Owner, path: &Path) -> String {
    format!("chown {} {}", user.0, path.display())
}

/// It is root's; of a link, the link itself.
pub(crate) fn give_to_root(path: &Path) -> String {
    format!("chown -h root {}", path.display())
}
