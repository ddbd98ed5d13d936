//! What the system tells the process.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::info;

use crate::keeper::{Inbox, Message};

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
            // A terminal that closes takes no daemon with it: tokens would be left behind, alive.
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// Tells the keeper of them, for ever.
    pub(crate) async fn tell(&mut self, inbox: &Inbox) {
        loop {
            self.end().await;
            let _ = inbox.send(Message::Signal);
        }
    }

    /// Waits for one that asks for the daemon's end.
    pub(crate) async fn end(&mut self) {
        loop {
            tokio::select! {
                Some(()) = self.terminate.recv() => return,
                Some(()) = self.interrupt.recv() => return,
                Some(()) = self.hang_up.recv() => info!("the terminal has gone; going on"),
                else => std::future::pending().await,
            }
        }
    }
}
