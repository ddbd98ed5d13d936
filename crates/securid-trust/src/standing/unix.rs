//! Whose a file is: a user's number, and the bits of its mode.

use std::{
    fmt,
    fs::{self, File, Metadata},
    io,
    os::unix::fs::MetadataExt as _,
    path::Path,
    sync::OnceLock,
};

use rustix::process::geteuid;

use super::Whose;

/// The kernel's number for a user that a user namespace does not know (`overflowuid`).
const UNKNOWN_UID: u32 = 65_534;

/// The whole of a `uid_map` in which everybody has his own number: the first namespace's.
const EVERYBODY: [&str; 3] = ["0", "0", "4294967295"];

/// Write permission for everybody.
const BY_ALL: u32 = 0o002;

/// Write permission for the group.
const BY_GROUP: u32 = 0o020;

/// Only the owner of a file in such a folder, and the folder's, may rename or remove the file: `/tmp`.
const STICKY: u32 = 0o1000;

/// A user, for people: `uid 1000`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner(pub(crate) u32);

/// What whom may do with a file, for people: `mode 0644`; in the alternate form (`{:#}`) without the zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access(pub(crate) u32);

/// What the system says of a file, a folder or a link.
#[derive(Debug, Clone)]
pub struct Standing(Metadata);

/// Who we are: the effective user.
#[must_use]
pub fn us() -> Owner {
    Owner(geteuid().as_raw())
}

impl Standing {
    /// That of what was opened.
    ///
    /// # Errors
    /// If the system does not say.
    pub fn of(file: &File) -> io::Result<Self> {
        file.metadata().map(Self)
    }

    /// That of what is at this path; of a link its own.
    ///
    /// # Errors
    /// If the system does not say.
    pub fn at(path: &Path) -> io::Result<Self> {
        path.symlink_metadata().map(Self)
    }

    /// What else the system says of it.
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        &self.0
    }

    /// Whose it is.
    #[must_use]
    pub fn owner(&self) -> Owner {
        Owner(self.0.uid())
    }

    /// Its permission bits.
    #[must_use]
    pub fn access(&self) -> Access {
        Access(self.0.mode() & 0o7777)
    }

    /// Whether it is this user's own.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.owner() == us()
    }

    /// Whether it is root's.
    ///
    /// In a user namespace that does not know every user, root may show as unknown: under systemd's
    /// `PrivateUsers=yes` always, in containers what comes from the machine outside. There the unknown user counts
    /// as root, though he may be anybody whom the namespace does not know.
    #[must_use]
    pub fn is_roots(&self) -> bool {
        is_root(self.0.uid())
    }

    /// Whether it is root's or ours: nobody else's files are used.
    #[must_use]
    pub fn is_trusted(&self) -> bool {
        self.is_ours() || self.is_roots()
    }

    /// Whether it is root's, and nobody else can write to it.
    #[must_use]
    pub fn is_roots_alone(&self) -> bool {
        self.is_roots() && self.0.mode() & (BY_ALL | BY_GROUP) == 0
    }

    /// Whether others than its owner and root can write to it, as far as its owner is root or we.
    ///
    /// A group counts as others, but for two: one that root lets write, and a user's private one (of his
    /// own number), in which there is nobody else. Where that is usual, files are made writable by it. Whether it is the
    /// group of this process at the moment does not matter: after `newgrp` it is another.
    #[must_use]
    pub fn is_writable_by_others(&self) -> bool {
        let (mode, uid) = (self.0.mode(), self.0.uid());
        let by_group = mode & BY_GROUP != 0 && !is_root(uid) && self.0.gid() != uid;
        mode & BY_ALL != 0 || by_group
    }

    /// Whether others than its owner may do anything with it.
    #[must_use]
    pub fn is_open_to_others(&self) -> bool {
        self.0.mode() & 0o077 != 0
    }

    /// Whether others may do anything with it, but for its group, which may read it.
    #[must_use]
    pub fn is_open_to_more_than_a_group(&self) -> bool {
        self.0.mode() & 0o037 != 0
    }

    /// Whether others can replace what is in this folder. In a sticky one they can replace only what is theirs.
    pub(crate) fn lets_others_replace(&self, whose: Whose) -> bool {
        let by_group = whose == Whose::Roots && self.is_writable_by_any_group();
        (self.is_writable_by_others() || by_group) && self.0.mode() & STICKY == 0
    }

    /// Whether others can have this link lead elsewhere. Only its owner can, and only by making it anew.
    #[expect(clippy::unused_self, reason = "elsewhere it depends")]
    pub(crate) fn lets_others_redirect(&self, _: Whose) -> bool {
        false
    }

    /// Whether others than root can write to what is root's: any group counts but root's own.
    fn is_writable_by_any_group(&self) -> bool {
        self.0.mode() & BY_GROUP != 0 && !is_root(self.0.gid())
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "uid {}", self.0)
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() {
            write!(f, "mode {:o}", self.0)
        } else {
            write!(f, "mode {:04o}", self.0)
        }
    }
}

/// A user for people, and what may be the reason that it is this one.
pub(crate) fn whom(owner: &Owner) -> String {
    // An id mapping that fails, or a server that hides root, shows its files as nobody's.
    match owner {
        Owner(65_534) if !is_root(65_534) => {
            "nobody (uid 65534: on a network file system, see to its id mapping)".to_owned()
        }
        _ => owner.to_string(),
    }
}

/// Whether this is root's number.
fn is_root(uid: u32) -> bool {
    uid == 0 || (uid == UNKNOWN_UID && !knows_everybody())
}

/// Whether every user has a number in our user namespace (user_namespaces(7)). A process stays in its
/// namespace, so it is read once. If it cannot be read, nobody is taken for root on its account.
fn knows_everybody() -> bool {
    static KNOWS: OnceLock<bool> = OnceLock::new();
    *KNOWS.get_or_init(|| {
        let map = fs::read_to_string("/proc/self/uid_map");
        map.map_or(true, |map| map.split_whitespace().eq(EVERYBODY))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::os::unix::fs::{PermissionsExt as _, chown};

    use super::*;

    #[test]
    fn a_group_counts_as_others_unless_it_is_private_or_roots() {
        let home = tempfile::tempdir().unwrap();
        let writable = |mode| {
            fs::set_permissions(home.path(), fs::Permissions::from_mode(mode)).unwrap();
            Standing::at(home.path()).unwrap().is_writable_by_others()
        };
        for mode in [0o700, 0o755, 0o1755] {
            assert!(!writable(mode), "{mode:o}");
        }
        for mode in [0o777, 0o702, 0o1777] {
            assert!(writable(mode), "{mode:o}");
        }
        // Whose group that is depends on who runs this; a foreign one can be given by root alone.
        if geteuid().is_root() {
            chown(home.path(), Some(12_345), Some(12_346)).unwrap();
            assert!(writable(0o770), "that group is not his");
            chown(home.path(), Some(12_345), Some(12_345)).unwrap();
            assert!(!writable(0o770), "his private one");
            chown(home.path(), Some(0), Some(12_345)).unwrap();
            assert!(!writable(0o770), "root lets it write");
        }
    }

    #[test]
    fn nobody_is_not_root_where_everybody_is_known() {
        assert!(is_root(0) && !is_root(12_345));
        assert_eq!(is_root(UNKNOWN_UID), !knows_everybody());
    }

    #[test]
    fn nobody_is_told_by_name() {
        if is_root(65_534) {
            return; // In a user namespace he may be root.
        }
        assert!(whom(&Owner(65_534)).contains("network file system"));
        assert_eq!(whom(&Owner(1)), "uid 1");
    }
}
