//! The way to a file: every folder and every link on it.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::{
    ffi::OsString,
    fs, io,
    path::{Component, Path, PathBuf, absolute},
};

use thiserror::Error;

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

use crate::advice::{self, ROOT};
use crate::standing::{Access, Owner, Standing, Whose, whom};

/// As many links as the kernel follows.
const MOST_LINKS: u32 = 40;

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
         or have the folder given to {ROOT} or to this user",
        path = path.display(), owner = whom(owner)
    )]
    Folder {
        /// Which.
        path: PathBuf,
        /// Whose it is.
        owner: Owner,
    },
    /// Others may write to a folder on the way.
    #[error(
        "others can write to the folder {path} ({access}), and replace what is in it: {advice}",
        path = path.display()
    )]
    Writable {
        /// Which.
        path: PathBuf,
        /// What whom may do there.
        access: Access,
        /// What to do.
        advice: String,
    },
    /// A symbolic link on the way is neither root's nor ours.
    #[error(
        "{path} is a symbolic link of {owner}, who could have it lead elsewhere: name the place itself",
        path = path.display(), owner = whom(owner)
    )]
    Link {
        /// Which.
        path: PathBuf,
        /// Whose it is.
        owner: Owner,
    },
    /// A folder or a symbolic link on the way is not root's, where only root's will do.
    #[error(
        "{path} belongs to {owner}, and has to be {ROOT}'s: run {advice}",
        path = path.display(), owner = whom(owner), advice = advice::give_to_root(path)
    )]
    NotRoots {
        /// Which.
        path: PathBuf,
        /// Whose it is.
        owner: Owner,
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

pub(crate) fn follow(path: &Path, whose: Whose) -> Result<PathBuf, Untrusted> {
    let look = |path: &Path, source| Untrusted::Look { path: path.to_owned(), source };
    let path = absolute(path).map_err(|source| look(path, source))?;
    // The next name is the last of these.
    let mut ahead = names(&path);
    let mut real = system::root(&path, &path)?.unwrap_or_default();
    let mut links = 0;
    judge(&real, &Standing::at(&real).map_err(|source| look(&real, source))?, whose)?;
    while let Some(name) = ahead.pop() {
        if name == ".." {
            real.pop();
            continue;
        }
        let here = real.join(name);
        let about = match Standing::at(&here) {
            Ok(about) => about,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(ahead.iter().rev().fold(here, |here, name| here.join(name)));
            }
            Err(source) => return Err(look(&here, source)),
        };
        if about.metadata().is_symlink() {
            judge_link(&here, &about, whose)?;
            links += 1;
            if links > MOST_LINKS {
                return Err(look(&here, system::too_many_links()));
            }
            let target = fs::read_link(&here).map_err(|source| look(&here, source))?;
            if let Some(root) = system::root(&target, &here)? {
                real = root;
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

/// Whether nobody but these can have a link lead elsewhere.
fn judge_link(path: &Path, about: &Standing, whose: Whose) -> Result<(), Untrusted> {
    let (path, owner) = (path.to_owned(), about.owner());
    if !whose.includes(about) {
        return Err(match whose {
            Whose::RootsOrOurs => Untrusted::Link { path, owner },
            Whose::Roots => Untrusted::NotRoots { path, owner },
        });
    }
    if about.lets_others_redirect(whose) {
        let advice = advice::nobody_replaces(&path, whose);
        return Err(Untrusted::Writable { path, access: about.access(), advice });
    }
    Ok(())
}

/// Whether nobody but these can replace what is in a folder.
fn judge(path: &Path, about: &Standing, whose: Whose) -> Result<(), Untrusted> {
    let (path, owner) = (path.to_owned(), about.owner());
    if !whose.includes(about) {
        return Err(match whose {
            Whose::RootsOrOurs => Untrusted::Folder { path, owner },
            Whose::Roots => Untrusted::NotRoots { path, owner },
        });
    }
    if about.lets_others_replace(whose) {
        let advice = advice::nobody_replaces(&path, whose);
        return Err(Untrusted::Writable { path, access: about.access(), advice });
    }
    Ok(())
}
