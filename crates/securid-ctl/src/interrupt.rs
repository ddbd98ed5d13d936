//! Ctrl-C ends a command with 130, as the contract says, not by a signal that only a shell would
//! translate so. And while a person is asked, no signal ends or stops us before the terminal is put back.
//!
//! What comes is a number, as of signals everywhere: on Windows that of what a console tells its programs.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

pub(crate) use system::{Caught, Interrupt, before_the_end, ends, obey};
#[cfg(unix)]
pub(crate) use unix::ending_signals;
#[cfg(windows)]
pub(crate) use windows::leave_to_the_program;

use crate::failure::Failure;

/// The exit status of a command that was interrupted.
pub(crate) const INTERRUPTED: u8 = 130;

/// What a command says that was interrupted.
pub(crate) fn interrupted() -> Failure {
    Failure::new("interrupted", "interrupted", INTERRUPTED)
}
