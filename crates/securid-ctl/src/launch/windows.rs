//! A log that is its user's alone, by a list of its own.

use std::{fs::File, io, path::Path};

/// Opens the file to read it and to add to it, and makes it if it is not there.
///
/// # Errors
/// Those of the system.
pub(super) fn to_append(path: &Path) -> io::Result<File> {
    securid_trust::open_to_append(path)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use securid_trust::Standing;

    use super::*;

    #[test]
    fn it_is_closed_to_others_whatever_its_folder_is() {
        let folder = tempfile::tempdir().unwrap();
        let log = to_append(&folder.path().join("log")).unwrap();
        let standing = Standing::of(&log).unwrap();
        assert!(!standing.is_open_to_others(), "{}", standing.access());
    }
}
