//! Whose a file is, and who else may write to it.

use std::{
    fs::{self, Metadata},
    os::unix::fs::MetadataExt as _,
    sync::OnceLock,
};

use rustix::process::geteuid;

/// The kernel's number for a user that a user namespace does not know (`overflowuid`).
const UNKNOWN_UID: u32 = 65_534;

/// The whole of a `uid_map` in which everybody has his own number: the first namespace's.
const EVERYBODY: [&str; 3] = ["0", "0", "4294967295"];

/// Write permission for everybody.
const BY_ALL: u32 = 0o002;

/// Write permission for the group.
const BY_GROUP: u32 = 0o020;

/// Whether this is root's number.
///
/// In a user namespace that does not know every user, root may show as unknown: under systemd's
/// `PrivateUsers=yes` always, in containers what comes from the machine outside. There the unknown user counts
/// as root, though he may be anybody whom the namespace does not know.
#[must_use]
pub fn is_root(uid: u32) -> bool {
    uid == 0 || (uid == UNKNOWN_UID && !knows_everybody())
}

/// Whether others than its owner and root can write to it, as far as its owner is root or we.
///
/// A group counts as others, but for two: one that root lets write, and a user's private one (of his own
/// number), in which there is nobody else. Where that is usual, files are made writable by it. Whether it is the group
/// of this process at the moment does not matter: after `newgrp` it is another.
#[must_use]
pub fn is_writable_by_others(about: &Metadata) -> bool {
    let by_group =
        about.mode() & BY_GROUP != 0 && !is_root(about.uid()) && about.gid() != about.uid();
    about.mode() & BY_ALL != 0 || by_group
}

/// Whether others than root can write to what is root's: any group counts but root's own.
#[must_use]
pub(crate) fn is_writable_by_any_group(about: &Metadata) -> bool {
    about.mode() & BY_GROUP != 0 && !is_root(about.gid())
}

/// Whether this is root's number or ours: nobody else's files are used.
#[must_use]
pub fn is_trusted(uid: u32) -> bool {
    uid == geteuid().as_raw() || is_root(uid)
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
            is_writable_by_others(&home.path().metadata().unwrap())
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
}
