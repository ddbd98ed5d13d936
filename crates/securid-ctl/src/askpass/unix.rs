//! A program that uses the terminal.

use std::process::Child;

use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
use signal_hook::consts::{SIGTTIN, SIGTTOU};

/// Whether the system has stopped it, since it has used the terminal, where our own process group is: nobody would
/// wake it, and what is typed meanwhile would be the shell's.
pub(super) fn waits_for_terminal(child: &Child) -> bool {
    let child = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let look = WaitIdOptions::STOPPED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    let stopped = child.and_then(|child| waitid(WaitId::Pid(child), look).ok().flatten());
    let by = stopped.and_then(|status| status.stopping_signal());
    by.is_some_and(|signal| [SIGTTIN, SIGTTOU].contains(&signal))
}
