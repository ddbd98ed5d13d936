//! Linux and macOS: signals.

use std::io;
use std::time::Duration;

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
    /// `reload`. Gives back how long the process has left, where it is not asked but told: never here.
    pub(crate) async fn end(&mut self, mut reload: impl FnMut()) -> Option<Duration> {
        loop {
            tokio::select! {
                Some(()) = self.terminate.recv() => return None,
                Some(()) = self.interrupt.recv() => return None,
                Some(()) = self.hang_up.recv() => reload(),
                else => std::future::pending().await,
            }
        }
    }
}
