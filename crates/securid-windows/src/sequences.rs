//! Whether a console takes the sequences of terminals: to the beginning of a line, clear it.

use std::io;
use std::os::windows::io::{AsHandle, AsRawHandle as _};

use windows_sys::Win32::System::Console::{
    ENABLE_VIRTUAL_TERMINAL_PROCESSING, GetConsoleMode, SetConsoleMode,
};

/// Has a console take them from now on, whoever writes to it.
///
/// # Errors
/// If it is no console, or one that does not know them.
pub fn take_sequences(console: &impl AsHandle) -> io::Result<()> {
    let console = console.as_handle().as_raw_handle();
    let mut mode = 0;
    // SAFETY: the handle is borrowed, so it is open, and `mode` has room for what is written.
    if unsafe { GetConsoleMode(console, &raw mut mode) } == 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: as above.
    if unsafe { SetConsoleMode(console, mode | ENABLE_VIRTUAL_TERMINAL_PROCESSING) } == 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}
