//! How far revocations have come, on a terminal, while somebody waits for them.

use std::io;

use securid_ipc::{
    client::Client,
    messages::{Call, SessionCounts, StatusView},
};
use securid_progress::{Progress, is_seen};

use crate::{Context, daemon::ANSWER_WITHIN, interrupt::Interrupt};

/// What is being revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meant {
    /// Every session.
    All,
    /// Only what is under revocation already.
    Some,
}

/// Does the work, and shows meanwhile how much of it the daemon has done; `total` as in [`Progress::begin`].
///
/// # Errors
/// If Ctrl-C cannot be caught.
pub(crate) fn shown<T>(
    context: &Context,
    interrupt: &Interrupt,
    meant: Meant,
    total: u64,
    work: impl FnOnce() -> T,
) -> io::Result<T> {
    if context.screen.json || !is_seen() {
        return Ok(work());
    }
    // Only now: once the daemon has gone, connecting could start another one.
    let mut client = Client::connect(&context.paths.sockets).ok();
    let ask = move || {
        let status: StatusView = client.as_mut()?.call(&Call::Status, ANSWER_WITHIN).ok()?;
        Some(left(&status.sessions, meant))
    };
    let progress = Progress::begin(total, ask, interrupt.leave_to_flag()?);
    let done = work();
    drop(progress);
    interrupt.rearm();
    Ok(done)
}

fn left(counts: &SessionCounts, meant: Meant) -> u64 {
    u64::from(match meant {
        Meant::All => counts.alive(),
        Meant::Some => counts.revoking,
    })
}
