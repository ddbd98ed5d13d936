//! Nothing: what is run at log-on is `securid-ctl start`, and Windows minds it no further.

use std::path::Path;

use crate::{Context, failure::Failure};

/// What `start` is for.
pub(crate) const START: &str = "Start the daemon, without a window";

/// The same at length.
pub(crate) const START_AT_LENGTH: &str = "\
Start the daemon, without a window

Its log is sessiond.log in the state folder.";

/// What to do about a daemon that does not answer.
pub(crate) const STUCK: &str = "Is it stuck? End the process securid-sessiond in the Task Manager if need be, then \
                                securid-ctl start: it goes on where it was. If it wakes, it may still do what it was asked.";

/// What to do about one that is too old for this program.
pub(crate) const TOO_OLD: &str = "End it with the securid-ctl that it came with (stop --keep keeps its sessions); then securid-ctl start.";

/// Nobody has a pipe without a daemon.
pub(crate) fn how_to_close(pipe: &Path) -> String {
    format!("ending what listens at {}", pipe.display())
}

/// There is none.
#[derive(Debug, Clone)]
pub(crate) enum Manager {}

impl Manager {
    /// What is waited for while it brings the daemon up.
    pub(crate) const WORK: &str = "";

    /// Where a daemon that it runs says what it has to say.
    pub(crate) const LOG: &str = "";

    /// None has our daemon.
    ///
    /// # Errors
    /// None here.
    pub(crate) fn of_the_service() -> Result<Option<Self>, Failure> {
        Ok(None)
    }

    /// # Errors
    /// None here.
    pub(crate) fn runs(&self, _: u32) -> Result<bool, Failure> {
        match *self {}
    }

    /// # Errors
    /// None here.
    pub(crate) fn start(&self, _: &Context) -> Result<(), Failure> {
        match *self {}
    }
}
