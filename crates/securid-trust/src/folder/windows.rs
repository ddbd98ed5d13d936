//! How a folder of our own is made: with a list that names us, the system and the administrators alone, which what is made
//! in it has too, and which takes in nothing of the folders above.

use std::{io, path::Path};

use securid_windows::making;

use crate::path::{Untrusted, real_path};
use crate::private::{OF_A_FOLDER, descriptor};

/// Nothing is made where it would be refused at once, as below a folder that everybody may change.
pub(super) fn may_be_made(path: &Path) -> Result<(), Untrusted> {
    real_path(path).map(drop)
}

/// One folder.
pub(super) fn make(path: &Path) -> io::Result<()> {
    making::folder(path, &descriptor(OF_A_FOLDER)?)
}

/// With those above it that are missing; fine if it is there.
pub(super) fn make_all(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    match make(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let above = path.parent().filter(|above| !above.as_os_str().is_empty());
            make_all(above.ok_or(error)?)?;
            make(path)
        }
        made => made,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;

    use crate::{
        folder::{FolderError, check_private, make_one, private, private_with_parents},
        standing::{Standing, open_to_everybody},
    };

    use super::*;

    #[test]
    fn makes_it_and_everything_above_it_private() {
        let home = tempfile::tempdir().unwrap();
        let (parent, folder) = (home.path().join("a"), home.path().join("a").join("b"));
        assert!(matches!(private(&folder), Err(FolderError::Make { .. })));
        private_with_parents(&folder).unwrap();
        for made in [&parent, &folder] {
            let standing = Standing::at(made).unwrap();
            assert!(
                standing.is_trusted() && !standing.is_open_to_others(),
                "{}",
                standing.access()
            );
        }
        private(&folder).unwrap();
        let again = make_one(&folder).unwrap_err();
        assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
    }

    #[test]
    fn refuses_what_others_may_enter_and_says_what_to_do() {
        let home = tempfile::tempdir().unwrap();
        let (open, ours) = (home.path().join("open"), home.path().join("open").join("ours"));
        private_with_parents(&ours).unwrap();
        open_to_everybody(&open);
        let refused = check_private(&open).unwrap_err();
        assert!(matches!(refused, FolderError::Open { .. }), "{refused}");
        let told = refused.to_string();
        assert!(told.contains("(Everyone (S-1-1-0))") && told.contains("/inheritance:r"), "{told}");
        let within = check_private(&ours).unwrap_err();
        assert!(matches!(within, FolderError::Untrusted(_)), "{within}");
        let new = open.join("new");
        for make in [private, private_with_parents] {
            assert!(matches!(make(&new), Err(FolderError::Untrusted(_))));
            assert!(!new.exists(), "it is made, and refused");
        }
    }

    #[test]
    fn refuses_a_file() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(matches!(private(&file), Err(FolderError::NotAFolder { .. })));
    }
}
