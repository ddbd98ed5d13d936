//! Jobs, and consoles of one's own.

use std::{
    io,
    os::windows::process::CommandExt as _,
    process::{Child, Command},
};

use securid_windows::{
    folders::{Folder, known},
    inheritance::keep_handles,
    job::Job,
};

use super::Started;
use crate::failure::FAILED;

/// A console of its own, which nobody sees: Ctrl-C in ours is not meant for it, and what it starts opens no window.
/// (Without any console, each such program would get a window.)
const CREATE_NO_WINDOW: u32 = 0x0800_0000;

/// Not in our job, which may end all that is in it when we have ended.
const CREATE_BREAKAWAY_FROM_JOB: u32 = 0x0100_0000;

/// The program with all that it starts; none where it may be in no job.
pub(super) struct Group(Option<Job>);

impl Group {
    /// What it starts before that, in its first moments, is left out.
    pub(super) fn of(child: &Child) -> Self {
        let job = Job::new().and_then(|job| job.take_in(child).map(|()| job));
        Self(job.ok())
    }

    pub(super) fn kill(&self) {
        // There may be nothing left to be killed.
        let _ = self.0.as_ref().map(|job| job.kill(FAILED.into()));
    }
}

/// Has it run apart from us: what is typed is not meant for it, and all that it starts can be ended with it.
pub(crate) fn apart(command: &mut Command) -> &mut Command {
    command.creation_flags(CREATE_NO_WINDOW)
}

/// Starts a program that goes on without us.
///
/// # Errors
/// If it cannot be run.
pub(crate) fn detached(command: &mut Command) -> io::Result<Started> {
    // Whoever reads our output to its end would else wait for the daemon's.
    keep_handles();
    // A folder that some program runs in cannot be removed. Services run there too.
    if let Ok(folder) = known(Folder::System) {
        command.current_dir(folder);
    }
    let alone = command.creation_flags(CREATE_NO_WINDOW | CREATE_BREAKAWAY_FROM_JOB).spawn();
    let child = match alone {
        // A job that lets nobody go: then it ends with that.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            command.creation_flags(CREATE_NO_WINDOW).spawn()?
        }
        other => other?,
    };
    Ok(Started { child, group: Group(None) })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::process::Stdio;

    use super::*;

    #[test]
    fn what_hangs_is_killed() {
        let mut command = Command::new("cmd");
        // It waits for a line that never comes, and so does the one that it starts.
        command.args(["/c", "cmd"]).stdin(Stdio::piped()).stdout(Stdio::null());
        let mut hanging = Started::spawn(&mut command).unwrap();
        assert!(hanging.group.0.is_some(), "it is in no job");
        assert_eq!(hanging.child.try_wait().unwrap(), None);
        hanging.kill();
        assert!(hanging.child.try_wait().unwrap().is_some());
    }
}
