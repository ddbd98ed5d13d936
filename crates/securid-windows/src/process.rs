//! Programs that run, by their number.

use std::{
    ffi::OsString,
    io,
    os::windows::{
        ffi::OsStringExt as _,
        io::{AsHandle as _, AsRawHandle as _, FromRawHandle as _, OwnedHandle},
    },
    path::PathBuf,
    time::Duration,
};

use windows_sys::Win32::{
    Foundation::ERROR_ACCESS_DENIED,
    System::Threading::{
        OpenProcess, PROCESS_ACCESS_RIGHTS, PROCESS_NAME_WIN32, PROCESS_QUERY_LIMITED_INFORMATION,
        PROCESS_SYNCHRONIZE, QueryFullProcessImageNameW,
    },
};

use crate::wait::wait;

/// The longest path that Windows has, in units of UTF-16.
const LONGEST_PATH: usize = 32 * 1024;

/// Whether the process of this number runs. One of another user's, of which nothing is told, does.
#[must_use]
pub fn is_alive(pid: u32) -> bool {
    match open(pid, PROCESS_SYNCHRONIZE) {
        // It is signalled once it has ended, and there as long as somebody has a handle to it.
        Ok(process) => matches!(wait(&[process.as_handle()], Some(Duration::ZERO)), Ok(None)),
        Err(error) => error.raw_os_error() == Some(ERROR_ACCESS_DENIED as i32),
    }
}

/// The program that the process of this number runs.
///
/// # Errors
/// If there is none, or another user's.
pub fn program(pid: u32) -> io::Result<PathBuf> {
    let process = open(pid, PROCESS_QUERY_LIMITED_INFORMATION)?;
    let mut name = vec![0; LONGEST_PATH];
    let mut length = u32::try_from(name.len()).unwrap_or(0);
    // SAFETY: there is as much room as is said, and the handle is open.
    let outcome = unsafe {
        QueryFullProcessImageNameW(
            process.as_raw_handle(),
            PROCESS_NAME_WIN32,
            name.as_mut_ptr(),
            &mut length,
        )
    };
    if outcome == 0 {
        return Err(io::Error::last_os_error());
    }
    name.truncate(length as usize);
    Ok(OsString::from_wide(&name).into())
}

fn open(pid: u32, rights: PROCESS_ACCESS_RIGHTS) -> io::Result<OwnedHandle> {
    // SAFETY: it takes no pointers.
    let handle = unsafe { OpenProcess(rights, 0, pid) };
    if handle.is_null() {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the handle is new, and nobody else's.
    Ok(unsafe { OwnedHandle::from_raw_handle(handle) })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn this_process_runs_and_an_ended_one_does_not() {
        let us = std::process::id();
        assert!(is_alive(us));
        let named = program(us).unwrap();
        assert_eq!(named.file_name(), std::env::current_exe().unwrap().file_name());
        let mut child = std::process::Command::new("cmd").args(["/c", "exit"]).spawn().unwrap();
        child.wait().unwrap();
        assert!(!is_alive(child.id()));
    }
}
