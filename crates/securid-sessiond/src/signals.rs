//! What the system tells the process.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that are not left to do what they do by default.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    /// Catches them from now on.
    ///
    /// # Errors
    /// If the system refuses.
    pub(crate) fn catch() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            // It asks for the config to be read anew. A terminal that closes sends it too, and takes no
            // daemon with it: tokens would be left behind, alive.
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for one that asks for the daemon's end. Those that ask for the config to be read anew go to
    /// `reload`.
    pub(crate) async fn end(&mut self, mut reload: impl FnMut()) {
        loop {
            tokio::select! {
                Some(()) = self.terminate.recv() => return,
                Some(()) = self.interrupt.recv() => return,
                Some(()) = self.hang_up.recv() => reload(),
                else => std::future::pending().await,
            }
        }
    }
}
