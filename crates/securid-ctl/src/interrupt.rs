//! Ctrl-C ends a command with 130, as the contract says, not by a signal that only a shell would
//! translate so.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use signal_hook::{consts::SIGINT, flag};

/// The exit status of a command that was interrupted.
pub(crate) const INTERRUPTED: u8 = 130;

/// From now on Ctrl-C ends this process, except while [`Interrupt::spare`] runs.
pub(crate) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// # Errors
    /// If the system takes no signal handler.
    pub(crate) fn arm() -> io::Result<Self> {
        let armed = Arc::new(AtomicBool::new(true));
        flag::register_conditional_shutdown(SIGINT, INTERRUPTED.into(), Arc::clone(&armed))?;
        Ok(Self(armed))
    }

    /// From now on Ctrl-C is somebody else's.
    pub(crate) fn disarm(self) {
        self.0.store(false, Ordering::SeqCst);
    }

    /// From now on Ctrl-C only sets the flag, for somebody who has the screen to clear first and ends the process
    /// then.
    ///
    /// # Errors
    /// If the system takes no signal handler.
    pub(crate) fn leave_to_flag(&self) -> io::Result<Arc<AtomicBool>> {
        let noted = Arc::default();
        flag::register(SIGINT, Arc::clone(&noted))?;
        self.0.store(false, Ordering::SeqCst);
        Ok(noted)
    }

    /// Ctrl-C ends this process again.
    pub(crate) fn rearm(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Runs a prompt, which meets Ctrl-C itself: were we to end within it, the terminal would stay
    /// without echo.
    pub(crate) fn spare<T>(&self, prompt: impl FnOnce() -> T) -> T {
        self.0.store(false, Ordering::SeqCst);
        let result = prompt();
        self.0.store(true, Ordering::SeqCst);
        result
    }
}
