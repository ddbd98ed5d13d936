//! Ctrl-C and Ctrl-Break reach the program by themselves, for it has the same console.

use std::{
    io,
    process::{Child, ExitStatus},
};

use crate::{failure::FAILED, interrupt::leave_to_the_program};

/// What a console tells is for the program.
pub(in super::super) struct Forwarder(());

impl Forwarder {
    /// From now on it does not end us.
    pub(in super::super) fn catch() -> io::Result<Self> {
        leave_to_the_program().map(Self)
    }

    /// Waits until the program has ended.
    pub(in super::super) fn wait(self, mut child: Child) -> io::Result<ExitStatus> {
        child.wait()
    }
}

/// The program's own status, all 32 bits of it.
pub(in super::super) fn status(ended: ExitStatus) -> i32 {
    ended.code().unwrap_or(FAILED.into())
}
