//! A program with all that it starts.

use std::{
    io,
    os::windows::io::{AsHandle, AsRawHandle as _, FromRawHandle as _, OwnedHandle},
    ptr::null,
};

use windows_sys::Win32::System::JobObjects::{
    AssignProcessToJobObject, CreateJobObjectW, TerminateJobObject,
};

/// Programs that end together: what one of them starts belongs to it as well.
#[derive(Debug)]
pub struct Job(OwnedHandle);

impl Job {
    /// One without a program.
    ///
    /// # Errors
    /// The system's.
    pub fn new() -> io::Result<Self> {
        // SAFETY: without a security descriptor and without a name it takes no pointers.
        let handle = unsafe { CreateJobObjectW(null(), null()) };
        if handle.is_null() {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the handle is new, and nobody else's.
        Ok(Self(unsafe { OwnedHandle::from_raw_handle(handle) }))
    }

    /// Takes in a process. What that has started before is left out.
    ///
    /// # Errors
    /// If it has ended, or is in a job that allows no other.
    pub fn take_in(&self, process: &impl AsHandle) -> io::Result<()> {
        let process = process.as_handle().as_raw_handle();
        // SAFETY: both handles are open for as long as they are borrowed.
        succeeded(unsafe { AssignProcessToJobObject(self.0.as_raw_handle(), process) })
    }

    /// Ends all of them at once, with this exit code.
    ///
    /// # Errors
    /// The system's.
    pub fn kill(&self, code: u32) -> io::Result<()> {
        // SAFETY: the handle is open for as long as this lives.
        succeeded(unsafe { TerminateJobObject(self.0.as_raw_handle(), code) })
    }
}

fn succeeded(outcome: i32) -> io::Result<()> {
    if outcome == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
