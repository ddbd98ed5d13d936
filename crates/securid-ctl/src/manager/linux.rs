//! systemd, where it has our unit.

pub(crate) mod systemd;

use std::path::Path;

use securid_ipc::paths::is_of_a_system_unit;

use crate::{
    Context,
    failure::{Failure, UNREACHABLE},
    launch::{BAD_CONFIG, STORAGE_FAILED, UP_WITHIN, check_config},
};
pub(crate) use systemd::Manager;
use systemd::{SERVICE, SOCKET, of_the_system};

/// What `start` is for.
pub(crate) const START: &str =
    "Start the daemon: through systemd where it has our unit, else as a program of its own";

/// The same at length.
pub(crate) const START_AT_LENGTH: &str = "\
Start the daemon: through systemd where it has our unit, else as a program of its own

Without systemd its log is sessiond.log in the state folder.";

/// What to do about a daemon that does not answer.
pub(crate) const STUCK: &str = "Is it stopped (kill -CONT), stuck, or not to be started by systemd (systemctl --user \
                                status securid-sessiond)? Restart it if need be; it goes on where it was. If it \
                                wakes, it may still do what it was asked.";

/// What to do about one that is too old for this program.
pub(crate) const TOO_OLD: &str = "End it with the securid-ctl that it came with (stop --keep keeps its sessions), or with systemctl \
     --user stop securid-sessiond (which revokes them unless its on_exit is keep); then securid-ctl start.";

/// The command that closes this socket of systemd's.
pub(crate) fn how_to_close(socket: &Path) -> String {
    match is_of_a_system_unit(socket) {
        true => format!("systemctl stop {}, as root,", of_the_system("socket")),
        false => format!("systemctl --user stop {SOCKET}"),
    }
}

impl Manager {
    /// What is waited for while it brings the daemon up.
    pub(crate) const WORK: &str = "systemd to start securid-sessiond.service";

    /// Where a daemon that it runs says what it has to say.
    pub(crate) const LOG: &str = "journalctl --user -u securid-sessiond";

    /// The one that has our service, if one has.
    ///
    /// # Errors
    /// If it does not answer.
    pub(crate) fn of_the_service() -> Result<Option<Self>, Failure> {
        match Self::find() {
            Some(manager) if manager.knows_service()? => Ok(Some(manager)),
            _ => Ok(None),
        }
    }

    /// Whether it has started this daemon.
    ///
    /// # Errors
    /// If it does not answer.
    pub(crate) fn runs(&self, pid: u32) -> Result<bool, Failure> {
        Ok(self.property(Some(SERVICE), "MainPID")? == pid.to_string())
    }

    /// Has it bring the daemon up.
    ///
    /// # Errors
    /// In its own words, or of a bad config in the daemon's.
    pub(crate) fn start(&self, context: &Context) -> Result<(), Failure> {
        if let Err(failure) = self.systemctl(&["start", SERVICE], UP_WITHIN) {
            let mut exit = UNREACHABLE;
            match self.property(Some(SERVICE), "ExecMainStatus")?.parse() {
                Ok(BAD_CONFIG) => check_config(context)?,
                Ok(STORAGE_FAILED) => exit = STORAGE_FAILED,
                _ => {}
            }
            return Err(failure.exiting(exit).with_hint(self.advice()));
        }
        Ok(())
    }
}
