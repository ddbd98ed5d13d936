//! Ctrl-C ends a command with 130, as the contract says, not by a signal that only a shell would
//! translate so.

use std::{
    fs, io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    flag,
};

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

    /// Runs a prompt, which meets Ctrl-C itself: were we to end within it, the terminal would stay
    /// without echo.
    pub(crate) fn spare<T>(&self, prompt: impl FnOnce() -> T) -> T {
        self.0.store(false, Ordering::SeqCst);
        let result = prompt();
        self.0.store(true, Ordering::SeqCst);
        result
    }
}

/// What ends or interrupts a program, as a service manager or a person sends it. Those that are ignored are to stay
/// so (`nohup`).
pub(crate) fn ending_signals() -> impl Iterator<Item = i32> {
    let ignored = ignored_signals();
    [SIGHUP, SIGINT, SIGTERM].into_iter().filter(move |signal| ignored & (1 << (signal - 1)) == 0)
}

/// The set of signals that this process ignores, bit 0 for signal 1; empty where it is unknown.
fn ignored_signals() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}
