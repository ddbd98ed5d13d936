//! What the system calls tell.

use std::io;
use std::path::Path;

use rustix::fs::{Access, access, statvfs};

use super::Room;

/// Whether files can be made in a folder.
pub(super) fn takes_files(folder: &Path) -> io::Result<()> {
    Ok(access(folder, Access::WRITE_OK | Access::EXEC_OK)?)
}

/// Whether a file can be written to.
pub(super) fn takes_lines(file: &Path) -> io::Result<()> {
    Ok(access(file, Access::WRITE_OK)?)
}

/// What is left where a folder is.
pub(super) fn room(folder: &Path) -> io::Result<Room> {
    let about = statvfs(folder)?;
    Ok(Room {
        free: about.f_bavail.saturating_mul(about.f_frsize),
        // Some file systems do not count files, and say 0 of 0.
        is_out_of_files: about.f_files > 0 && about.f_favail == 0,
    })
}
