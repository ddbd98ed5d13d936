//! What `ps` says of them.

use std::{process::Command, time::Duration};

use crate::program;

/// It answers in milliseconds.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// Whether it runs, or may.
pub(crate) fn is_alive(pid: u32) -> bool {
    // One that has ended, and of which only whoever started it has not heard yet (a zombie), does not.
    told(pid, "state").is_some_and(|state| !state.is_empty() && !state.starts_with('Z'))
}

/// Whether somebody has stopped it, and can wake it.
pub(crate) fn is_stopped(pid: u32) -> bool {
    told(pid, "state").is_some_and(|state| state.starts_with('T'))
}

/// Whether it is a daemon of ours.
pub(crate) fn is_a_daemon(pid: u32) -> bool {
    told(pid, "comm").is_some_and(|path| path.ends_with("securid-sessiond"))
}

/// The command that ends one that is stuck.
pub(crate) fn how_to_end(pid: u32) -> String {
    format!("kill -KILL {pid}")
}

/// What there is to tell of one that is there.
fn told(pid: u32, what: &str) -> Option<String> {
    let mut command = Command::new("/bin/ps");
    command.args(["-p", &pid.to_string(), "-o", &format!("{what}=")]);
    let ended = program::run(command, ANSWER_WITHIN).ok()?;
    ended.status.success().then(|| ended.out.trim().to_owned())
}
