//! Process groups.

use std::{
    io,
    os::unix::process::CommandExt as _,
    process::{Child, Command},
};

use rustix::process::{Pid, Signal, kill_process_group};

use super::Started;

/// The process group that has this program's number, if it has one of its own.
pub(super) struct Group(Option<Pid>);

impl Group {
    pub(super) fn of(child: &Child) -> Self {
        Self(i32::try_from(child.id()).ok().and_then(Pid::from_raw))
    }

    pub(super) fn kill(&self) {
        // There may be no such group, and nothing left to be killed.
        let _ = self.0.map(|group| kill_process_group(group, Signal::KILL));
    }
}

/// Has it run apart from us: what is typed is not meant for it, and all that it starts can be ended with it.
pub(crate) fn apart(command: &mut Command) -> &mut Command {
    command.process_group(0)
}

/// Starts a program that goes on without us.
///
/// # Errors
/// If it cannot be run.
pub(crate) fn detached(command: &mut Command) -> io::Result<Started> {
    // In a process group of its own: Ctrl-C and a terminal that closes are not meant for it.
    command.process_group(0).current_dir("/");
    Started::spawn(command)
}
