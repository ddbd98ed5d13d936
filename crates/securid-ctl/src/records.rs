//! Whether anything is recorded, for when no daemon can be asked. The files are not read.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Whether this session has a record in one of these state folders.
pub(crate) fn exist(state_dirs: &[PathBuf], id: &str) -> bool {
    state_dirs.iter().any(|folder| folder.join("sessions").join(format!("{id}.json")).exists())
}

/// How many sessions have a record in this state folder.
///
/// # Errors
/// If the folder is there and cannot be read: then nobody knows.
pub(crate) fn count(state_dir: &Path) -> io::Result<usize> {
    let entries = match fs::read_dir(state_dir.join("sessions")) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error),
    };
    let mut records = 0;
    for entry in entries {
        let name = entry?.file_name();
        records += usize::from(Path::new(&name).extension().is_some_and(|end| end == "json"));
    }
    Ok(records)
}
