//! What is at a pipe's name.

use std::{ffi::OsStr, io, time::Duration};

use windows_sys::Win32::{
    Foundation::{ERROR_PIPE_BUSY, ERROR_SEM_TIMEOUT},
    System::Pipes::WaitNamedPipeW,
};

use super::is;
use crate::text::wide;

/// Waits until a server waits for one more client at `name`, for so long at most (a millisecond at least).
///
/// # Errors
/// `NotFound` if nobody has a pipe of that name; or if the system refuses to look.
pub fn wait_for_room(name: &OsStr, within: Duration) -> io::Result<()> {
    let name = wide(name)?;
    // Nought stands for what the server has laid down, the greatest for ever.
    let within = u32::try_from(within.as_millis()).unwrap_or(u32::MAX).clamp(1, u32::MAX - 1);
    // SAFETY: the name ends with a zero.
    if unsafe { WaitNamedPipeW(name.as_ptr(), within) } != 0 {
        return Ok(());
    }
    let error = io::Error::last_os_error();
    if is(&error, &[ERROR_SEM_TIMEOUT]) { Ok(()) } else { Err(error) }
}

/// Whether a pipe was not opened because its server has no room for one more client just now.
#[must_use]
pub fn is_busy(error: &io::Error) -> bool {
    is(error, &[ERROR_PIPE_BUSY])
}
