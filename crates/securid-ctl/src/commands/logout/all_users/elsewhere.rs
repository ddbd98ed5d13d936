//! Nobody can be visited: no program of ours may act as another user here without that user's password.

use std::time::Duration;

use crate::{Context, failure::Failure};

/// # Errors
/// Always.
pub(in super::super) fn run(_: &Context, _: Duration) -> Result<u8, Failure> {
    let failure = Failure::usage("logging all users out is there on Linux alone");
    Err(failure.with_hint("Have each user run securid-ctl logout."))
}

/// Nobody knows of others.
pub(in super::super) fn warn_of_others(_: &Context) {}
