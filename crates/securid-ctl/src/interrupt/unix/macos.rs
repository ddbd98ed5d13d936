//! What macOS says of this process and its signals.

use rustix::process::{getpgrp, getsid};

/// Whether this process is in the group of its session's leader.
pub(super) fn is_with_the_leader() -> bool {
    getsid(None).is_ok_and(|session| session == getpgrp())
}

/// None that we know of: there is no way to ask without a call that no crate makes safe. So a Ctrl-C, and a terminal that
/// closes, count under `nohup` too.
pub(super) fn ignored_signals() -> u64 {
    0
}
