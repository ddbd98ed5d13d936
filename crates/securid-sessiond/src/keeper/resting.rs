//! When nothing has happened for a while, what the work has taken is given back.

use std::mem;
use std::time::Duration;

use securid_session::{Moment, Phase};

use super::Keeper;
use crate::clock;
use crate::memory;

/// How long nothing has to happen: twice as long as threads linger, so that what they leave behind goes as well.
const QUIET: Duration = Duration::from_secs(2);

/// Whether something happens.
pub(super) struct Resting {
    /// When to look whether something has; never while nothing did since all was given back.
    looks_at: Option<Moment>,
    /// Something has, since it was decided when to look.
    stirred: bool,
}

impl Resting {
    /// A daemon that has just come up: its flags, its config and its records took something to be read.
    pub(super) fn soon() -> Self {
        Self { looks_at: None, stirred: true }
    }

    /// Something happens. The alarm is not set anew each time: that would be a system call for each request.
    pub(super) fn stir(&mut self) {
        self.stirred = true;
    }

    pub(super) fn wakes_at(&self) -> Option<Moment> {
        self.looks_at
    }
}

impl Keeper {
    /// Gives back what the work has taken, once there was none for [`QUIET`]. Whether to wake for it at another moment than
    /// before.
    pub(super) fn rest_if_due(&mut self) -> bool {
        let due = self.resting.looks_at.is_some_and(|at| at.reached(clock::now()));
        if self.resting.looks_at.is_some() && !due {
            return false;
        }
        if mem::take(&mut self.resting.stirred) {
            self.resting.looks_at = Some(clock::now().after(QUIET));
        } else if due {
            self.resting.looks_at = None;
            // While something is pending, a program file that cannot be read again (a server's folder that went with its network) must
            // hold up no attempt.
            memory::give_back(self.machine.count(Phase::Revoking) == 0);
        }
        due || self.resting.looks_at.is_some()
    }
}
