//! Which file a handle is of, and a lock on a file that can still be read.

use std::fs::File;
use std::io;
use std::os::windows::io::{AsHandle, AsRawHandle};

use windows_sys::Win32::Foundation::{
    ERROR_IO_PENDING, ERROR_LOCK_VIOLATION, ERROR_OPERATION_ABORTED,
};
use windows_sys::Win32::Storage::FileSystem::{
    BY_HANDLE_FILE_INFORMATION, GetFileInformationByHandle, LOCKFILE_EXCLUSIVE_LOCK,
    LOCKFILE_FAIL_IMMEDIATELY, LockFileEx,
};
use windows_sys::Win32::System::IO::{OVERLAPPED, OVERLAPPED_0, OVERLAPPED_0_0};

use crate::overlapped::finished;
use crate::wait::Event;

/// The numbers of a file's volume and of the file on it: two open files with the same numbers are the same.
///
/// # Errors
/// If the system does not tell.
pub fn identity(file: &File) -> io::Result<[u64; 2]> {
    let mut about = BY_HANDLE_FILE_INFORMATION::default();
    // SAFETY: the handle is open as long as `file` is borrowed, and the structure is ours and writable.
    if unsafe { GetFileInformationByHandle(file.as_raw_handle(), &raw mut about) } == 0 {
        return Err(io::Error::last_os_error());
    }
    let index = (u64::from(about.nFileIndexHigh) << 32) | u64::from(about.nFileIndexLow);
    Ok([u64::from(about.dwVolumeSerialNumber), index])
}

/// Locks one byte of a file against everybody else's lock, at once or not at all; whether that worked. It ends when
/// the file is closed, however that comes. The byte may be far behind the file's end: nobody can read what is locked, and
/// the rest stays readable.
///
/// # Errors
/// If there can be no lock.
pub fn try_lock_byte(file: &File, at: u64) -> io::Result<bool> {
    let [low, high] =
        [at & u64::from(u32::MAX), at >> 32].map(|half| u32::try_from(half).unwrap_or_default());
    // A file that was opened for overlapped use may answer later.
    let answered = Event::new()?;
    let mut place = OVERLAPPED {
        Anonymous: OVERLAPPED_0 { Anonymous: OVERLAPPED_0_0 { Offset: low, OffsetHigh: high } },
        hEvent: answered.as_handle().as_raw_handle(),
        ..OVERLAPPED::default()
    };
    let (handle, place) = (file.as_raw_handle(), &raw mut place);
    let flags = LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY;
    // SAFETY: the handle is open as long as `file` is borrowed, and the structure is ours. It is there until the call is
    // over: below that is waited for.
    if unsafe { LockFileEx(handle, flags, 0, 1, 0, place) } != 0 {
        return Ok(true);
    }
    let code = |error: &io::Error| error.raw_os_error().map(i32::cast_unsigned);
    let mut error = io::Error::last_os_error();
    if code(&error) == Some(ERROR_IO_PENDING) {
        // SAFETY: it was begun with this structure, on this file.
        match unsafe { finished(handle, place, true) } {
            Ok(_) => return Ok(true),
            Err(later) => error = later,
        }
    }
    match code(&error) {
        Some(ERROR_LOCK_VIOLATION | ERROR_OPERATION_ABORTED) => Ok(false),
        _ => Err(error),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs::{self, OpenOptions};
    use std::os::windows::fs::OpenOptionsExt;

    use windows_sys::Win32::Storage::FileSystem::FILE_FLAG_OVERLAPPED;

    use super::*;

    /// However the files were opened, one of them has it, until it is closed.
    #[test]
    fn one_has_the_lock() {
        let path = std::env::temp_dir().join(format!("lock-{}", std::process::id()));
        let open = |flags| {
            let mut options = OpenOptions::new();
            options.read(true).write(true).create(true).truncate(false).custom_flags(flags);
            options.open(&path).unwrap()
        };
        for (one, other) in [(0, FILE_FLAG_OVERLAPPED), (FILE_FLAG_OVERLAPPED, 0)] {
            let (holder, loser) = (open(one), open(other));
            assert!(try_lock_byte(&holder, 1 << 62).unwrap());
            assert!(!try_lock_byte(&loser, 1 << 62).unwrap());
            assert!(try_lock_byte(&loser, 1).unwrap());
            drop(holder);
            assert!(try_lock_byte(&loser, 1 << 62).unwrap());
        }
        fs::remove_file(&path).unwrap();
    }
}
