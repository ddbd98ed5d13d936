//! The end of what goes on in the background: until then the system writes to memory of ours.

use std::io;

use windows_sys::Win32::Foundation::HANDLE;
use windows_sys::Win32::System::IO::{CancelIoEx, GetOverlappedResult, OVERLAPPED};

/// Waits until something that was begun is over, after having called it off if that is wanted: it may have come to its end
/// all the same. Returns how many bytes it was about.
///
/// # Safety
/// It has to be the structure with which it was begun on this file.
pub(crate) unsafe fn finished(
    file: HANDLE,
    overlapped: *mut OVERLAPPED,
    call_off: bool,
) -> io::Result<usize> {
    if call_off {
        // Where there is nothing to call off any more, it is over.
        // SAFETY: as the caller promises.
        unsafe { CancelIoEx(file, overlapped) };
    }
    let (mut bytes, wait) = (0, 1);
    // SAFETY: as the caller promises, and the place is ours.
    if unsafe { GetOverlappedResult(file, overlapped, &raw mut bytes, wait) } == 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(bytes as usize)
}
