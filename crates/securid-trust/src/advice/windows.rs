//! Lists of who may do what: icacls, takeown. Each gives a whole command, for there is no short way to say it.

use std::path::Path;

use crate::standing::Owner;

/// Who may do everything.
pub const ROOT: &str = "an administrator";

/// Nobody else can do anything with the file or folder any more: who may write is not told from who may read here.
#[must_use]
pub fn shut_writers_out(path: &Path) -> String {
    make_file_private(path)
}

/// The same, of a path that was just named.
#[must_use]
pub fn shut_writers_out_of_it(path: &Path) -> String {
    make_file_private(path)
}

/// What was just named is an administrator's, and nobody else can write to it.
#[must_use]
pub fn make_it_roots(path: &Path) -> String {
    let path = path.display();
    format!(
        "as an administrator: icacls \"{path}\" /setowner *S-1-5-32-544, \
         then icacls \"{path}\" /inheritance:r /grant:r *S-1-5-18:F *S-1-5-32-544:F *S-1-5-32-545:RX"
    )
}

/// What was just named is this user's, as the end of "run".
#[must_use]
pub fn take_it(path: &Path) -> String {
    format!("takeown /f \"{}\"", path.display())
}

/// The same, as the end of "name another, or".
#[must_use]
pub fn take_it_over(path: &Path) -> String {
    format!("run {}", take_it(path))
}

/// Nobody else can do anything with the file any more.
#[must_use]
pub fn make_file_private(path: &Path) -> String {
    format!("icacls \"{}\" /inheritance:r /grant:r \"%USERNAME%:F\"", path.display())
}

/// Nobody else can do anything with the folder any more, nor with what is made in it.
#[must_use]
pub fn make_folder_private(path: &Path) -> String {
    format!("icacls \"{}\" /inheritance:r /grant:r \"%USERNAME%:(OI)(CI)F\"", path.display())
}

/// It is this user's.
pub(crate) fn give_to(user: &Owner, path: &Path) -> String {
    format!("icacls \"{}\" /setowner \"{user}\"", path.display())
}

/// It is an administrator's; of a link, the link itself.
pub(crate) fn give_to_root(path: &Path) -> String {
    format!("icacls \"{}\" /setowner *S-1-5-32-544 /l", path.display())
}
