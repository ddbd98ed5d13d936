//! What `/proc` says of them.

use std::fs;

use rustix::process::{Pid, test_kill_process};

/// Whether it runs, or may.
pub(crate) fn is_alive(pid: u32) -> bool {
    let process = i32::try_from(pid).ok().and_then(Pid::from_raw);
    process.is_some_and(|process| test_kill_process(process).is_ok()) && !is_unburied(pid)
}

/// Whether it has ended, and only whoever started it has not heard of it yet (a zombie).
fn is_unburied(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The state comes behind the name, which is in brackets and may hold any character.
    stat.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('Z'))
}

/// Whether somebody has stopped it, and can wake it.
pub(crate) fn is_stopped(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The state comes behind the name, which is in brackets and may hold any character.
    stat.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with(['T', 't']))
}

/// Whether it is a daemon of ours.
pub(crate) fn is_a_daemon(pid: u32) -> bool {
    // The kernel keeps fifteen characters of a name.
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    name.starts_with("securid-session")
}

/// The command that ends one that is stuck.
pub(crate) fn how_to_end(pid: u32) -> String {
    format!("kill -KILL {pid}")
}
