//! What a console tells its programs: Ctrl-C, and that they are to end.
//!
//! - `rehearsal`: a test in the place of the person

#[cfg(feature = "rehearsal")]
mod rehearsal;

use std::{io, sync::OnceLock};

use windows_sys::{
    Win32::System::Console::{
        CTRL_BREAK_EVENT, CTRL_C_EVENT, CTRL_CLOSE_EVENT, CTRL_LOGOFF_EVENT, CTRL_SHUTDOWN_EVENT,
        SetConsoleCtrlHandler,
    },
    core::BOOL,
};

#[cfg(feature = "rehearsal")]
pub use rehearsal::{interrupt, look, type_in};

/// What is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-Break.
    Break,
    /// The console's window closes. The process ends when the handler returns, and after some five seconds in any case.
    Close,
    /// The user logs off; only services are told so. As of `Close`.
    LogOff,
    /// The system shuts down; only services are told so. As of `Close`.
    Shutdown,
}

/// Whom it is told. The system calls it on a thread of its own.
static HANDLER: OnceLock<fn(Control) -> bool> = OnceLock::new();

/// From now on `handler` is told first, on a thread of its own. What it returns `false` for does what it does by itself: it
/// ends the process. Only the first handler counts.
///
/// # Errors
/// The system's.
pub fn on_control(handler: fn(Control) -> bool) -> io::Result<()> {
    if HANDLER.set(handler).is_err() {
        return Ok(());
    }
    // SAFETY: `tell` is a function of the program, which is there as long as the process.
    match unsafe { SetConsoleCtrlHandler(Some(tell), 1) } {
        0 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// What the system calls. A panic ends the process here: there is nobody to unwind to.
extern "system" fn tell(event: u32) -> BOOL {
    let control = match event {
        CTRL_C_EVENT => Control::Interrupt,
        CTRL_BREAK_EVENT => Control::Break,
        CTRL_CLOSE_EVENT => Control::Close,
        CTRL_LOGOFF_EVENT => Control::LogOff,
        CTRL_SHUTDOWN_EVENT => Control::Shutdown,
        _ => return 0,
    };
    HANDLER.get().is_some_and(|handler| handler(control)).into()
}
