//! Memory that is not to be written to the disk.

use std::io;

use windows_sys::Win32::{
    Foundation::ERROR_WORKING_SET_QUOTA,
    System::{
        Memory::VirtualLock,
        Threading::{GetCurrentProcess, GetProcessWorkingSetSize, SetProcessWorkingSetSize},
    },
};

/// How much more the process may keep in memory than is locked now, in bytes, so that not every lock raises the limit:
/// 32 chunks of secrets.
const AHEAD: usize = 1024 * 1024;

/// Keeps these bytes in memory, out of the page file, until their pages are given back. Whole pages are locked.
///
/// # Errors
/// If the system refuses.
pub fn lock(bytes: &[u8]) -> io::Result<()> {
    match try_lock(bytes) {
        // What may be locked is what the process is sure to keep in memory, which is little until it asks for more.
        Err(error) if error.raw_os_error() == Some(ERROR_WORKING_SET_QUOTA.cast_signed()) => {
            keep_more(bytes.len().saturating_add(AHEAD))?;
            try_lock(bytes)
        }
        tried => tried,
    }
}

fn try_lock(bytes: &[u8]) -> io::Result<()> {
    // SAFETY: the bytes are borrowed, so they are there; nothing in them is changed.
    succeeded(unsafe { VirtualLock(bytes.as_ptr().cast(), bytes.len()) })
}

/// Raises by so many bytes what the process is sure to keep in memory.
fn keep_more(bytes: usize) -> io::Result<()> {
    let (mut least, mut most) = (0, 0);
    // SAFETY: the process's own handle is always good, and both have room for what is written.
    succeeded(unsafe {
        GetProcessWorkingSetSize(GetCurrentProcess(), &raw mut least, &raw mut most)
    })?;
    let (least, most) = (least.saturating_add(bytes), most.saturating_add(bytes));
    // SAFETY: as above.
    succeeded(unsafe { SetProcessWorkingSetSize(GetCurrentProcess(), least, most) })
}

fn succeeded(result: i32) -> io::Result<()> {
    if result == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_is_usual_can_be_locked() {
        let bytes = vec![0; 8 * AHEAD];
        assert!(bytes.chunks(64 * 1024).all(|chunk| lock(chunk).is_ok()));
    }
}
