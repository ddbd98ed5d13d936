//! What opening tells, which changes nothing: whether the list of who may do what lets us in is looked at then.

use std::fs::OpenOptions;
use std::io;
use std::os::windows::fs::OpenOptionsExt as _;
use std::path::Path;

use securid_windows::volume;

use super::Room;

/// The right to make files in a folder (FILE_ADD_FILE).
const ADD_FILE: u32 = 0x2;

/// The right to add to a file (FILE_APPEND_DATA).
const APPEND_DATA: u32 = 0x4;

/// Without it folders are not opened (FILE_FLAG_BACKUP_SEMANTICS).
const OF_FOLDERS_TOO: u32 = 0x0200_0000;

/// Whether files can be made in a folder.
pub(super) fn takes_files(folder: &Path) -> io::Result<()> {
    OpenOptions::new().access_mode(ADD_FILE).custom_flags(OF_FOLDERS_TOO).open(folder).map(drop)
}

/// Whether a file can be written to.
pub(super) fn takes_lines(file: &Path) -> io::Result<()> {
    OpenOptions::new().access_mode(APPEND_DATA).open(file).map(drop)
}

/// What is left where a folder is.
pub(super) fn room(folder: &Path) -> io::Result<Room> {
    // Its file systems take files as long as they have room.
    Ok(Room { free: volume::free(folder)?, is_out_of_files: false })
}
