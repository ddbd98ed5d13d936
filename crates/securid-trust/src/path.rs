//! The way to a file: every folder and every link on it.

use std::{
    ffi::OsString,
    fs::{self, Metadata},
    io,
    os::unix::fs::MetadataExt as _,
    path::{Component, Path, PathBuf, absolute},
};

use rustix::io::Errno;
use thiserror::Error;

use crate::owner::{is_root, is_trusted, is_writable_by_any_group, is_writable_by_others};

/// As many links as the kernel follows.
const MOST_LINKS: u32 = 40;

/// Only the owner of a file in such a folder, and the folder's, may rename or remove the file: `/tmp`.
const STICKY: u32 = 0o1000;

/// Why a path is not used: somebody else could put something else there. Each says what to do.
#[derive(Debug, Error)]
pub enum Untrusted {
    /// Something on the way could not be looked at.
    #[error("cannot look at {path}: {source}", path = path.display())]
    Look {
        /// What.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A folder on the way is neither root's nor ours.
    #[error(
        "the folder {path} belongs to {owner}, who could replace what is in it: name another place, \
         or have the folder given to root or to this user",
        path = path.display(), owner = whom(*owner)
    )]
    Folder {
        /// Which.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
    },
    /// Others may write to a folder on the way.
    #[error(
        "others can write to the folder {path} (mode {mode:04o}), and replace what is in it: \
         name another place, or run chmod go-w {path}",
        path = path.display()
    )]
    Writable {
        /// Which.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A symbolic link on the way is neither root's nor ours.
    #[error(
        "{path} is a symbolic link of {owner}, who could have it lead elsewhere: name the place itself",
        path = path.display(), owner = whom(*owner)
    )]
    Link {
        /// Which.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
    },
    /// A folder or a symbolic link on the way is not root's, where only root's will do.
    #[error(
        "{path} belongs to {owner}, and has to be root's: run chown -h root {path}",
        path = path.display(), owner = whom(*owner)
    )]
    NotRoots {
        /// Which.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
    },
}

/// Follows a path, and gives back where it leads: from the root, without links. Every folder above the last
/// name has to be root's or ours, and writable by nobody else (a sticky one may be). Links are followed if
/// they are root's or ours. What is at the end, if anything, is not judged.
///
/// A network file system may show everything as nobody's, which is refused and named like that.
///
/// # Errors
/// [`Untrusted`]: what is in the way.
pub fn real_path(path: &Path) -> Result<PathBuf, Untrusted> {
    follow(path, Whose::RootsOrOurs)
}

/// The same where every folder and link has to be root's, and a group that he lets write counts as others: for what
/// he has laid down for his users.
///
/// # Errors
/// As [`real_path`].
pub fn real_path_of_root(path: &Path) -> Result<PathBuf, Untrusted> {
    follow(path, Whose::Roots)
}

/// Whose the folders and links on the way may be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Whose {
    RootsOrOurs,
    Roots,
}

pub(crate) fn follow(path: &Path, whose: Whose) -> Result<PathBuf, Untrusted> {
    let look = |path: &Path, source| Untrusted::Look { path: path.to_owned(), source };
    let path = absolute(path).map_err(|source| look(path, source))?;
    // The next name is the last of these.
    let mut ahead = names(&path);
    let mut real = PathBuf::from("/");
    let mut links = 0;
    judge(&real, &real.symlink_metadata().map_err(|source| look(&real, source))?, whose)?;
    while let Some(name) = ahead.pop() {
        if name == ".." {
            real.pop();
            continue;
        }
        let here = real.join(name);
        let about = match here.symlink_metadata() {
            Ok(about) => about,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(ahead.iter().rev().fold(here, |here, name| here.join(name)));
            }
            Err(source) => return Err(look(&here, source)),
        };
        if about.is_symlink() {
            let owner = about.uid();
            if !whose.includes(owner) {
                return Err(match whose {
                    Whose::RootsOrOurs => Untrusted::Link { path: here, owner },
                    Whose::Roots => Untrusted::NotRoots { path: here, owner },
                });
            }
            links += 1;
            if links > MOST_LINKS {
                return Err(look(&here, Errno::LOOP.into()));
            }
            let target = fs::read_link(&here).map_err(|source| look(&here, source))?;
            if target.is_absolute() {
                real = PathBuf::from("/");
            }
            ahead.extend(names(&target));
            continue;
        }
        if !ahead.is_empty() {
            judge(&here, &about, whose)?;
        }
        real = here;
    }
    Ok(real)
}

/// The names in a path, the last one first.
fn names(path: &Path) -> Vec<OsString> {
    let is_name =
        |part: &Component<'_>| matches!(part, Component::Normal(_) | Component::ParentDir);
    path.components().rev().filter(is_name).map(|part| part.as_os_str().to_owned()).collect()
}

impl Whose {
    fn includes(self, uid: u32) -> bool {
        match self {
            Self::RootsOrOurs => is_trusted(uid),
            Self::Roots => is_root(uid),
        }
    }
}

/// Whether nobody but these can replace what is in a folder.
fn judge(path: &Path, about: &Metadata, whose: Whose) -> Result<(), Untrusted> {
    let (path, owner) = (path.to_owned(), about.uid());
    if !whose.includes(owner) {
        return Err(match whose {
            Whose::RootsOrOurs => Untrusted::Folder { path, owner },
            Whose::Roots => Untrusted::NotRoots { path, owner },
        });
    }
    let by_group = matches!(whose, Whose::Roots) && is_writable_by_any_group(about);
    if (is_writable_by_others(about) || by_group) && about.mode() & STICKY == 0 {
        return Err(Untrusted::Writable { path, mode: about.mode() & 0o7777 });
    }
    Ok(())
}

/// A user for people.
pub(crate) fn whom(uid: u32) -> String {
    // An id mapping that fails, or a server that hides root, shows its files as nobody's.
    match uid {
        65_534 if !is_root(uid) => {
            "nobody (uid 65534: on a network file system, see to its id mapping)".to_owned()
        }
        _ => format!("uid {uid}"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::os::unix::fs::{PermissionsExt as _, chown, lchown, symlink};

    use rustix::process::geteuid;
    use tempfile::TempDir;

    use super::*;

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
                matches!(refused, Untrusted::Writable { path, mode: 0o757 } if path == folder),
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
                matches!(refused, Untrusted::Folder { path, owner: STRANGER } if path == folder),
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
                    matches!(&refused, Untrusted::Link { path, owner: STRANGER } if *path == link),
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

    #[test]
    fn nobody_is_told_by_name() {
        if is_root(65_534) {
            return; // In a user namespace he may be root.
        }
        assert!(whom(65_534).contains("network file system"));
        assert_eq!(whom(1), "uid 1");
    }
}
