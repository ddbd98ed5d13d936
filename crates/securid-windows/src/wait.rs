//! Waiting for several things at once.

use std::{
    io,
    os::windows::io::{
        AsHandle, AsRawHandle as _, BorrowedHandle, FromRawHandle as _, OwnedHandle,
    },
    ptr::null,
    time::Duration,
};

use windows_sys::Win32::{
    Foundation::{WAIT_FAILED, WAIT_OBJECT_0, WAIT_TIMEOUT},
    System::Threading::{CreateEventW, INFINITE, ResetEvent, SetEvent, WaitForMultipleObjects},
};

/// Waits until one of these is signalled: events, processes, a console's input; at most `within`, where that is said, and
/// at most 64 of them. Which one it was; none if the time was over first.
///
/// # Errors
/// If one cannot be waited for, or there are none, or too many.
pub fn wait(handles: &[BorrowedHandle<'_>], within: Option<Duration>) -> io::Result<Option<usize>> {
    let raw: Vec<_> = handles.iter().map(|handle| handle.as_raw_handle()).collect();
    let count = u32::try_from(raw.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    // Not a millisecond too early, nor for ever where that was not asked for.
    let millis = within.map_or(INFINITE, |within| {
        let millis = within.as_nanos().div_ceil(1_000_000);
        u32::try_from(millis).unwrap_or(INFINITE).min(INFINITE - 1)
    });
    // SAFETY: as many handles are there as is said, each open for as long as it is borrowed.
    match unsafe { WaitForMultipleObjects(count, raw.as_ptr(), 0, millis) } {
        WAIT_TIMEOUT => Ok(None),
        WAIT_FAILED => Err(io::Error::last_os_error()),
        which => {
            let which = which.wrapping_sub(WAIT_OBJECT_0) as usize;
            if which < raw.len() { Ok(Some(which)) } else { Err(io::ErrorKind::Other.into()) }
        }
    }
}

/// Something that is waited for until it is set, and stays so until it is cleared.
#[derive(Debug)]
pub struct Event(OwnedHandle);

impl Event {
    /// One that is not set, and that no other program has.
    ///
    /// # Errors
    /// The system's.
    pub fn new() -> io::Result<Self> {
        // SAFETY: without a security descriptor and without a name it takes no pointers.
        let handle = unsafe { CreateEventW(null(), 1, 0, null()) };
        if handle.is_null() {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the handle is new, and nobody else's.
        Ok(Self(unsafe { OwnedHandle::from_raw_handle(handle) }))
    }

    /// Whoever waits goes on.
    ///
    /// # Errors
    /// The system's.
    pub fn set(&self) -> io::Result<()> {
        // SAFETY: the handle is open for as long as this lives.
        match unsafe { SetEvent(self.0.as_raw_handle()) } {
            0 => Err(io::Error::last_os_error()),
            _ => Ok(()),
        }
    }

    /// Whoever comes now waits.
    ///
    /// # Errors
    /// The system's.
    pub fn clear(&self) -> io::Result<()> {
        // SAFETY: the handle is open for as long as this lives.
        match unsafe { ResetEvent(self.0.as_raw_handle()) } {
            0 => Err(io::Error::last_os_error()),
            _ => Ok(()),
        }
    }
}

impl AsHandle for Event {
    fn as_handle(&self) -> BorrowedHandle<'_> {
        self.0.as_handle()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_one_that_is_set_is_told() {
        let (one, other) = (Event::new().unwrap(), Event::new().unwrap());
        let both = [one.as_handle(), other.as_handle()];
        assert_eq!(wait(&both, Some(Duration::from_millis(1))).unwrap(), None);
        other.set().unwrap();
        assert_eq!(wait(&both, None).unwrap(), Some(1));
        other.clear().unwrap();
        assert_eq!(wait(&both, Some(Duration::ZERO)).unwrap(), None);
        assert!(wait(&[], None).is_err());
    }
}
