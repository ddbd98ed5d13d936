//! The keys that a daemon left in the kernel, through `keyctl`.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use securid_store::{Identity, Namespace};

use crate::patience::PATIENCE;
use crate::process::run;

/// Prints the number and the description of every key in the persistent keyring of whoever runs it.
/// A session keyring of its own, for what is linked there must not stay.
const LIST: &str = "p=$(keyctl get_persistent @s) || exit 1; \
     for key in $(keyctl rlist \"$p\"); do echo \"$key $(keyctl rdescribe \"$key\")\"; done";

/// Takes keys, given as words, out of the persistent keyring.
const UNLINK: &str = "p=$(keyctl get_persistent @s) || exit 1; \
     for key in \"$@\"; do keyctl unlink \"$key\" \"$p\"; done";

/// Empties the persistent keyring.
const CLEAR: &str = "p=$(keyctl get_persistent @s) && keyctl clear \"$p\"";

/// The keys of the daemon with this state folder, which is that of user `uid`.
#[must_use]
pub fn of(state_dir: &Path, uid: u32) -> Vec<String> {
    let (Ok(identity), Ok(path)) = (Identity::read(), state_dir.canonicalize()) else {
        // Without a state folder it never had one.
        return Vec::new();
    };
    let namespace = Namespace::new(&identity.machine, &path);
    let listed = keyctl(LIST, &[], uid);
    let ours = format!(";{}:", namespace.as_str());
    let lines = listed.lines().filter(|line| line.contains(&ours));
    lines.filter_map(|line| line.split(' ').next().map(str::to_owned)).collect()
}

/// Removes them.
pub fn remove(state_dir: &Path, uid: u32) {
    let keys = of(state_dir, uid);
    if !keys.is_empty() {
        keyctl(UNLINK, &keys, uid);
    }
}

/// Removes whatever this user has there.
pub fn clear(uid: u32) {
    keyctl(CLEAR, &[], uid);
}

fn keyctl(script: &str, arguments: &[String], uid: u32) -> String {
    let mut command = Command::new("keyctl");
    command.args(["session", "-", "sh", "-c", script, "sh"]).args(arguments);
    if rustix::process::geteuid().is_root() {
        command.uid(uid).gid(uid);
    }
    String::from_utf8_lossy(&run(command, "", PATIENCE).stdout).into_owned()
}
