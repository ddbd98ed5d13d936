//! How files are opened: no link, no pipe and no device in their place.

use std::{
    fs::{File, OpenOptions},
    io,
    os::windows::fs::OpenOptionsExt as _,
    path::Path,
};

use securid_windows::{kind::is_on_disk, making};

use crate::private::{OF_A_FILE, descriptor};
use crate::standing::IDENTIFICATION;

/// A link itself is opened, and not what it leads to (`FILE_FLAG_OPEN_REPARSE_POINT`).
const LINKS: u32 = 0x0020_0000;

/// To read it.
pub(super) fn open(path: &Path) -> io::Result<File> {
    soberly(OpenOptions::new().read(true), path)
}

/// A new one, ours alone.
pub(super) fn create_new(path: &Path) -> io::Result<File> {
    making::file(path, &descriptor(OF_A_FILE)?)
}

/// To read it and to add to it; ours alone if it is new.
pub(super) fn open_to_append(path: &Path) -> io::Result<File> {
    match create_new(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    soberly(OpenOptions::new().read(true).append(true), path)
}

fn soberly(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    let file = options.custom_flags(LINKS).security_qos_flags(IDENTIFICATION).open(path)?;
    if is_on_disk(&file) { Ok(file) } else { Err(io::Error::other("it is no regular file")) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::io::{Read as _, Write as _};

    use crate::{OpenError, Standing, create_new, open, open_to_append};

    use super::*;

    #[test]
    fn new_ones_are_ours_alone() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("file");
        let file = create_new(&path).unwrap();
        for standing in [Standing::of(&file).unwrap(), Standing::at(&path).unwrap()] {
            assert!(standing.is_ours() && !standing.is_open_to_others(), "{}", standing.access());
        }
        let again = create_new(&path).unwrap_err();
        assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
    }

    #[test]
    fn what_is_added_stands_at_the_end() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("file");
        for text in ["a", "b"] {
            let mut file = open_to_append(&path).unwrap();
            file.write_all(text.as_bytes()).unwrap();
            assert!(!Standing::of(&file).unwrap().is_open_to_others());
        }
        let mut text = String::new();
        open(&path).unwrap().0.read_to_string(&mut text).unwrap();
        assert_eq!(text, "ab");
    }

    #[test]
    fn devices_pipes_and_folders_are_no_files() {
        let home = tempfile::tempdir().unwrap();
        for path in [home.path(), Path::new("NUL"), Path::new(r"\\.\NUL"), Path::new("CON")] {
            assert!(matches!(open(path), Err(OpenError::Io(_))), "{}", path.display());
        }
        let missing = open(&home.path().join("none"));
        assert!(
            matches!(missing, Err(OpenError::Io(error)) if error.kind() == io::ErrorKind::NotFound)
        );
    }
}
