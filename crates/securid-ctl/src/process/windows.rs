//! What Windows says of them.

use securid_windows::process;

/// Whether it runs, or may.
pub(crate) fn is_alive(pid: u32) -> bool {
    process::is_alive(pid)
}

/// Nobody stops a process here and wakes it again, but a debugger.
pub(crate) fn is_stopped(_: u32) -> bool {
    false
}

/// Whether it is a daemon of ours.
pub(crate) fn is_a_daemon(pid: u32) -> bool {
    let program = process::program(pid).ok();
    let name = program.as_deref().and_then(|program| program.file_stem());
    name.is_some_and(|name| name.eq_ignore_ascii_case("securid-sessiond"))
}

/// The command that ends one that is stuck.
pub(crate) fn how_to_end(pid: u32) -> String {
    format!("taskkill /F /PID {pid}")
}
