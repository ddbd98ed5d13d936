//! Windows: the events of the console.
//!
//! A program that has loaded user32, as ours has for its window, is told nothing of log-off and shutdown here but as a
//! service; the window is (`desktop/windows.rs`). They are taken all the same, for they cost nothing.

use std::io;
use std::time::Duration;

use tokio::signal::windows::{
    CtrlBreak, CtrlC, CtrlClose, CtrlLogoff, CtrlShutdown, ctrl_break, ctrl_c, ctrl_close,
    ctrl_logoff, ctrl_shutdown,
};

/// How long the process has left where Windows ends it: that is after 5 s, unless somebody has set
/// `HungAppTimeout` or `WaitToKillAppTimeout`. A second of it is for the way out, once the grace is over. A call that is in flight
/// then is waited for longer, as at any stop; if Windows ends the process meanwhile, what the audit has not got the
/// next start tells it from the records.
pub(crate) const LEFT: Duration = Duration::from_secs(4);

/// The events that are not left to do what they do by default.
pub(crate) struct Signals {
    interrupt: CtrlC,
    interrupt_hard: CtrlBreak,
    close: CtrlClose,
    log_off: CtrlLogoff,
    shutdown: CtrlShutdown,
}

impl Signals {
    /// Catches them from now on.
    ///
    /// # Errors
    /// If the system refuses.
    pub(crate) fn catch() -> io::Result<Self> {
        Ok(Self {
            interrupt: ctrl_c()?,
            interrupt_hard: ctrl_break()?,
            close: ctrl_close()?,
            log_off: ctrl_logoff()?,
            shutdown: ctrl_shutdown()?,
        })
    }

    /// Waits for one that asks for the daemon's end. None asks for the config to be read anew: `securid-ctl reload`
    /// does. Gives back how long the process has left, where it is not asked but told.
    pub(crate) async fn end(&mut self, _reload: impl FnMut()) -> Option<Duration> {
        tokio::select! {
            Some(()) = self.interrupt.recv() => None,
            Some(()) = self.interrupt_hard.recv() => None,
            Some(()) = self.close.recv() => Some(LEFT),
            Some(()) = self.log_off.recv() => Some(LEFT),
            Some(()) = self.shutdown.recv() => Some(LEFT),
            else => std::future::pending().await,
        }
    }
}
