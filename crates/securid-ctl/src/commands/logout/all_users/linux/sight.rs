//! What is in a state folder that may be anybody's, as root sees it: nothing that its owner has put on the way
//! is followed, for it might lead anywhere.

use std::{os::fd::OwnedFd, path::Path};

use rustix::{
    fs::{Dir, Mode, OFlags, ResolveFlags, fstat, open, openat2},
    io::{self, Errno},
};

/// What root can see of a state folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sight {
    /// There is none.
    Nothing,
    /// There is one, of this user's.
    Folder {
        /// Whose it is.
        owner: u32,
        /// Whether sessions are recorded in it, or files of them set aside.
        recorded: bool,
    },
    /// There is a link, a mount or a closed folder on the way: its user alone may know.
    Unclear,
}

/// Looks into the state folder `below` a folder that root alone decides on; `.` is that folder itself.
pub(super) fn look(base: &Path, below: &str) -> Sight {
    let base = open(base, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
    let seen = base.and_then(|base| {
        let state = enter(&base, below)?;
        let owner = fstat(&state)?.st_uid;
        let recorded = has_entries(&state, "sessions")? || has_entries(&state, "damaged")?;
        Ok(Sight::Folder { owner, recorded })
    });
    seen.unwrap_or_else(|error| if is_absent(error) { Sight::Nothing } else { Sight::Unclear })
}

fn enter(base: &OwnedFd, below: &str) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let closed = ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_XDEV | ResolveFlags::BENEATH;
    openat2(base, below, flags, Mode::empty(), closed)
}

fn has_entries(state: &OwnedFd, name: &str) -> io::Result<bool> {
    let entries = match enter(state, name) {
        Ok(folder) => Dir::new(folder)?,
        Err(error) if is_absent(error) => return Ok(false),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let name = entry?.file_name().to_owned();
        if !matches!(name.to_bytes(), b"." | b"..") {
            return Ok(true);
        }
    }
    Ok(false)
}

fn is_absent(error: Errno) -> bool {
    matches!(error, Errno::NOENT | Errno::NOTDIR)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::{fs, os::unix::fs::symlink};

    use super::*;

    const BELOW: &str = ".local/state/securid";

    #[test]
    fn no_link_is_followed_and_what_is_behind_one_is_unclear() {
        let home = tempfile::tempdir().unwrap();
        let us = rustix::process::geteuid().as_raw();
        let sees = |recorded| Sight::Folder { owner: us, recorded };
        assert_eq!(look(&home.path().join("none"), BELOW), Sight::Nothing);
        assert_eq!(look(home.path(), BELOW), Sight::Nothing);
        let state = home.path().join(BELOW);
        fs::create_dir_all(&state).unwrap();
        assert_eq!(look(home.path(), BELOW), sees(false));
        assert_eq!(look(&state, "."), sees(false));

        let elsewhere = home.path().join("elsewhere");
        fs::create_dir(&elsewhere).unwrap();
        fs::write(elsewhere.join("0123456789abcdef.json"), "").unwrap();
        symlink(&elsewhere, state.join("sessions")).unwrap();
        assert_eq!(look(home.path(), BELOW), Sight::Unclear);
        fs::remove_file(state.join("sessions")).unwrap();
        fs::rename(&elsewhere, state.join("damaged")).unwrap();
        assert_eq!(look(home.path(), BELOW), sees(true));

        fs::rename(home.path().join(".local"), home.path().join("local")).unwrap();
        symlink("local", home.path().join(".local")).unwrap();
        assert_eq!(look(home.path(), BELOW), Sight::Unclear);
        fs::remove_file(home.path().join(".local")).unwrap();
        fs::write(home.path().join(".local"), "").unwrap();
        assert_eq!(look(home.path(), BELOW), Sight::Nothing);
    }
}
