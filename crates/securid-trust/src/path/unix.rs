//! Where paths begin: there is one root.

use std::{
    io,
    path::{Path, PathBuf},
};

use rustix::io::Errno;

use super::Untrusted;

/// Where a path begins that says so itself, whatever folder (`_here`) it is met in.
pub(super) fn root(path: &Path, _here: &Path) -> Result<Option<PathBuf>, Untrusted> {
    Ok(path.is_absolute().then(|| PathBuf::from("/")))
}

/// What the system says of links that go round.
pub(super) fn too_many_links() -> io::Error {
    Errno::LOOP.into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::{
        fs,
        os::unix::fs::{PermissionsExt as _, chown, lchown, symlink},
        path::absolute,
    };

    use rustix::process::geteuid;
    use tempfile::TempDir;

    use super::*;
    use crate::{
        path::{real_path, real_path_of_root},
        standing::{Access, Owner},
    };

    /// A user who is neither root nor whoever runs this.
    const STRANGER: u32 = 12_345;

    /// `a/b/file` in a folder of ours.
    fn tree() -> (TempDir, PathBuf) {
        let home = tempfile::tempdir().unwrap();
        let top = home.path().canonicalize().unwrap();
        fs::create_dir_all(top.join("a/b")).unwrap();
        fs::write(top.join("a/b/file"), "").unwrap();
        (home, top)
    }

    fn chmod(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_good_path_leads_where_the_kernel_would_go() {
        let (_home, top) = tree();
        symlink("a/b", top.join("short")).unwrap();
        symlink(top.join("a"), top.join("long")).unwrap();
        symlink("../long/../short/file", top.join("a/round")).unwrap();
        for path in ["a/b/file", "short/file", "long/b/file", "a/../a/b/file", "a/round", "short"] {
            let path = top.join(path);
            assert_eq!(real_path(&path).unwrap(), path.canonicalize().unwrap(), "{path:?}");
        }
        assert_eq!(real_path(&top.join("short/no/such")).unwrap(), top.join("a/b/no/such"));
        assert_eq!(real_path(Path::new("/")).unwrap(), Path::new("/"));
        assert_eq!(real_path(Path::new("x y")).unwrap(), absolute("x y").unwrap());
    }

    #[test]
    fn a_folder_that_others_can_write_to_is_refused_anywhere() {
        let (_home, top) = tree();
        let file = top.join("a/b/file");
        for folder in ["a", "a/b"].map(|folder| top.join(folder)) {
            chmod(&folder, 0o757);
            let refused = real_path(&file).unwrap_err();
            let told = refused.to_string();
            assert!(
                matches!(refused, Untrusted::Writable { path, access: Access(0o757), .. } if path == folder),
                "{told}"
            );
            assert!(told.contains(&format!("chmod go-w {}", folder.display())), "{told}");
            chmod(&folder, 0o1757);
            assert!(real_path(&file).is_ok(), "sticky");
            chmod(&folder, 0o755);
        }
        chmod(&file, 0o666);
        assert!(real_path(&file).is_ok(), "what is at the end is judged elsewhere");
    }

    #[test]
    fn links_that_go_round_are_given_up() {
        let (_home, top) = tree();
        symlink("loop", top.join("loop")).unwrap();
        let refused = real_path(&top.join("loop")).unwrap_err();
        assert!(matches!(refused, Untrusted::Look { .. }), "{refused}");
    }

    #[test]
    fn a_strangers_folder_or_link_is_refused_anywhere() {
        if !geteuid().is_root() {
            return; // Only root can give something away.
        }
        let (_home, top) = tree();
        let file = top.join("a/b/file");
        for folder in ["a", "a/b"].map(|folder| top.join(folder)) {
            chown(&folder, Some(STRANGER), None).unwrap();
            let refused = real_path(&file).unwrap_err();
            let told = refused.to_string();
            assert!(
                matches!(refused, Untrusted::Folder { path, owner: Owner(STRANGER) } if path == folder),
                "{told}"
            );
            chown(&folder, Some(0), None).unwrap();
        }
        for link in ["link", "a/link"].map(|link| top.join(link)) {
            symlink(top.join("a"), &link).unwrap();
            assert!(real_path(&link.join("b/file")).is_ok());
            lchown(&link, Some(STRANGER), None).unwrap();
            for path in [link.join("b/file"), link.clone()] {
                let refused = real_path(&path).unwrap_err();
                assert!(
                    matches!(&refused, Untrusted::Link { path, owner: Owner(STRANGER) } if *path == link),
                    "{refused}"
                );
            }
        }
        chown(&file, Some(STRANGER), None).unwrap();
        assert!(real_path(&file).is_ok(), "what is at the end is judged elsewhere");
    }

    #[test]
    fn only_roots_own_will_do_where_it_is_said() {
        let (_home, top) = tree();
        let file = top.join("a/b/file");
        if !geteuid().is_root() {
            let refused = real_path_of_root(&file).unwrap_err();
            assert!(matches!(refused, Untrusted::NotRoots { .. }), "{refused}");
            return;
        }
        assert!(real_path_of_root(&file).is_ok());
        symlink(top.join("a"), top.join("link")).unwrap();
        for (path, given) in [(&file, "a/b"), (&top.join("link/b/file"), "link")] {
            lchown(top.join(given), Some(STRANGER), None).unwrap();
            let told = real_path_of_root(path).unwrap_err().to_string();
            assert!(
                told.contains(&format!("chown -h root {}", top.join(given).display())),
                "{told}"
            );
            lchown(top.join(given), Some(0), None).unwrap();
        }
    }

    #[test]
    fn a_group_can_not_write_to_what_has_to_be_roots_alone() {
        if !geteuid().is_root() {
            return; // Only root can give something away.
        }
        let (_home, top) = tree();
        let (folder, file) = (top.join("a"), top.join("a/b/file"));
        chmod(&folder, 0o775);
        assert!(real_path_of_root(&file).is_ok(), "root's own group");
        chown(&folder, None, Some(STRANGER)).unwrap();
        let refused = real_path_of_root(&file).unwrap_err();
        assert!(
            matches!(&refused, Untrusted::Writable { path, .. } if *path == folder),
            "{refused}"
        );
        assert!(real_path(&file).is_ok(), "root lets it write");
        chmod(&folder, 0o755);
        assert!(real_path_of_root(&file).is_ok());
    }
}
