//! How a folder of our own is made: with 0700.

use std::{fs::DirBuilder, io, os::unix::fs::DirBuilderExt as _, path::Path};

use crate::path::Untrusted;

/// What is made is judged once it is there.
pub(super) fn may_be_made(_: &Path) -> Result<(), Untrusted> {
    Ok(())
}

/// One folder.
pub(super) fn make(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(path)
}

/// With those above it that are missing; fine if it is there.
pub(super) fn make_all(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).recursive(true).create(path)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use std::{
        fs,
        os::unix::fs::{PermissionsExt as _, symlink},
    };

    use crate::{
        folder::{FolderError, check_private, private, private_with_parents},
        standing::Access,
    };

    use super::*;

    fn mode_of(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn makes_it_and_everything_above_it_private() {
        let home = tempfile::tempdir().unwrap();
        let (parent, folder) = (home.path().join("a"), home.path().join("a/b"));
        assert!(matches!(private(&folder), Err(FolderError::Make { .. })));
        private_with_parents(&folder).unwrap();
        assert_eq!((mode_of(&parent), mode_of(&folder)), (0o700, 0o700));
        private(&folder).unwrap();
    }

    #[test]
    fn refuses_what_others_may_enter_and_says_what_to_do() {
        let home = tempfile::tempdir().unwrap();
        for mode in [0o755, 0o710, 0o702, 0o1777] {
            fs::set_permissions(home.path(), fs::Permissions::from_mode(mode)).unwrap();
            let refused = private(home.path()).unwrap_err();
            assert!(matches!(refused, FolderError::Open { access: Access(m), .. } if m == mode));
            let advice = format!("chmod 700 {}", home.path().display());
            assert!(refused.to_string().contains(&advice), "{refused}");
        }
    }

    #[test]
    fn refuses_a_file_and_follows_a_link_of_ours_to_what_it_judges() {
        let home = tempfile::tempdir().unwrap();
        let (real, link, file) =
            (home.path().join("real"), home.path().join("link"), home.path().join("file"));
        private(&real).unwrap();
        symlink(&real, &link).unwrap();
        fs::write(&file, "").unwrap();
        assert!(matches!(private(&file), Err(FolderError::NotAFolder { .. })));
        private_with_parents(&link).unwrap();
        fs::set_permissions(&real, fs::Permissions::from_mode(0o750)).unwrap();
        assert!(matches!(private(&link), Err(FolderError::Open { access: Access(0o750), .. })));
    }

    #[test]
    fn refuses_one_that_others_could_replace() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("ours");
        private(&folder).unwrap();
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let refused = private(&folder).unwrap_err();
        assert!(matches!(refused, FolderError::Untrusted(Untrusted::Writable { .. })), "{refused}");
    }

    #[test]
    fn refuses_somebody_else_s() {
        // Nobody but root owns it; as root, a folder is given away instead.
        let home = tempfile::tempdir().unwrap();
        let foreign = if rustix::process::geteuid().is_root() {
            std::os::unix::fs::chown(home.path(), Some(12_345), None).unwrap();
            home.path()
        } else {
            Path::new("/")
        };
        assert!(matches!(check_private(foreign), Err(FolderError::NotOurs { .. })));
    }
}
