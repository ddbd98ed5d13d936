//! Paths as Windows has them: UTF-16 that need not be Unicode. They are written down as they are, in little endian.

use std::borrow::Cow;
use std::ffi::OsString;
use std::os::windows::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// Windows has no longer paths than 32,767 units.
pub(super) const LONGEST: u64 = 2 * 32_768;

/// What ends the line.
pub(super) const NEWLINE: &[u8] = &[b'\n', 0];

/// How a path is written down.
pub(super) fn bytes_of(path: &Path) -> Cow<'_, [u8]> {
    path.as_os_str().encode_wide().flat_map(u16::to_le_bytes).collect()
}

/// The path that was written down so.
pub(super) fn path_of(bytes: &[u8]) -> PathBuf {
    let (units, _) = bytes.as_chunks();
    let units: Vec<_> = units.iter().map(|&unit| u16::from_le_bytes(unit)).collect();
    OsString::from_wide(&units).into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;

    use super::*;
    use crate::{Identity, filed_under};

    fn here() -> Identity {
        Identity { machine: "0123456789abcdef".repeat(2), boot: "boot-1".to_owned() }
    }

    #[test]
    fn a_path_that_is_no_unicode_is_written_down_as_it_is() {
        let odd = OsString::from_wide(&[b'C'.into(), b':'.into(), b'\\'.into(), 0xD800, 0x0A41]);
        assert_eq!(path_of(&bytes_of(Path::new(&odd))).as_os_str(), odd);
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

        let copy = home.join("copy");
        fs::create_dir(&copy).unwrap();
        fs::copy(new.join("filed-under-01234567"), copy.join("filed-under-01234567")).unwrap();
        // The old place is free again, so this is the same folder for all that one can tell.
        assert_eq!(filed_under(&copy, &here()).unwrap(), old);
        fs::rename(&new, &old).unwrap();
        let refused = filed_under(&copy, &here()).unwrap_err().to_string();
        assert!(refused.contains("it is a copy of"), "{refused}");
        let elsewhere = Identity { machine: "f".repeat(32), ..here() };
        assert_eq!(filed_under(&copy, &elsewhere).unwrap(), copy);
    }
}
