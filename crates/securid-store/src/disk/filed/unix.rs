//! Paths as Unix has them: bytes.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Linux has no longer paths (`PATH_MAX`), and macOS none of even half of that.
pub(super) const LONGEST: u64 = 4096;

/// What ends the line.
pub(super) const NEWLINE: &[u8] = b"\n";

/// How a path is written down.
pub(super) fn bytes_of(path: &Path) -> Cow<'_, [u8]> {
    path.as_os_str().as_bytes().into()
}

/// The path that was written down so.
pub(super) fn path_of(bytes: &[u8]) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(bytes))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use std::fs;
    use std::os::unix::fs::symlink;

    use crate::{Identity, filed_under};

    fn here() -> Identity {
        Identity { machine: "0123456789abcdef".repeat(2), boot: "boot-1".to_owned() }
    }

    #[test]
    fn a_folder_that_moves_keeps_its_name_and_a_copy_has_none() {
        let home = tempfile::tempdir().unwrap();
        let home = home.path().canonicalize().unwrap();
        let (old, new) = (home.join("old"), home.join("new"));
        fs::create_dir(&old).unwrap();
        for _ in 0..2 {
            assert_eq!(filed_under(&old, &here()).unwrap(), old);
        }
        fs::rename(&old, &new).unwrap();
        assert_eq!(filed_under(&new, &here()).unwrap(), old);
        symlink(&new, &old).unwrap();
        assert_eq!(filed_under(&old, &here()).unwrap(), old);

        let copy = home.join("copy");
        fs::create_dir(&copy).unwrap();
        fs::copy(new.join("filed-under-01234567"), copy.join("filed-under-01234567")).unwrap();
        let refused = filed_under(&copy, &here()).unwrap_err().to_string();
        assert!(refused.contains("it is a copy of"), "{refused}");
        let elsewhere = Identity { machine: "f".repeat(32), ..here() };
        assert_eq!(filed_under(&copy, &elsewhere).unwrap(), copy);
    }
}
