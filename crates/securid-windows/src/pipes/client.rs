//! The client's side: a pipe that is read and written within a time, without a runtime.
//!
//! A read goes on in the background until something comes, whoever waits for it or not: so its memory is its own, and is freed
//! only when the system has let go of it.

use std::{
    fs::{File, OpenOptions},
    io,
    os::windows::{
        fs::OpenOptionsExt as _,
        io::{AsHandle, AsRawHandle as _, BorrowedHandle},
    },
    path::Path,
    ptr::{NonNull, null_mut},
    time::Duration,
};

use windows_sys::Win32::{
    Foundation::{
        ERROR_BROKEN_PIPE, ERROR_IO_PENDING, ERROR_OPERATION_ABORTED, ERROR_PIPE_NOT_CONNECTED,
    },
    Storage::FileSystem::{FILE_FLAG_OVERLAPPED, ReadFile, SECURITY_IDENTIFICATION, WriteFile},
    System::IO::OVERLAPPED,
};
use zeroize::Zeroize as _;

use super::is;
use crate::{
    descriptor::Descriptor,
    overlapped::finished,
    wait::{Event, wait},
};

/// How many bytes are read at once.
const AT_ONCE: usize = 16 * 1024;

/// A client's end of a pipe. As a handle it is what a wait beside others takes: signalled when
/// something has come or the other end has gone, after [`Pipe::comes_within`] has found nothing.
#[derive(Debug)]
pub struct Pipe {
    file: File,
    /// Signalled by what is read.
    came: Event,
    /// Signalled by what is written.
    went: Event,
    reading: NonNull<Reading>,
    state: State,
}

// SAFETY: what it points to is its own, and nothing about it belongs to a thread.
unsafe impl Send for Pipe {}

/// What the system writes to while a read goes on.
struct Reading {
    overlapped: OVERLAPPED,
    bytes: [u8; AT_ONCE],
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// Nothing was read, and no read goes on.
    Idle,
    /// The system reads.
    Reading,
    /// These of the bytes are here.
    Here { from: usize, to: usize },
    /// The other end has gone.
    Ended,
}

impl Pipe {
    /// Connects to the server that waits at `name`. It may know who we are, and not act for us.
    ///
    /// # Errors
    /// `NotFound` if there is none, [`is_busy`](super::place::is_busy) if it has no room just now, `PermissionDenied` if it
    /// does not want us; or the system's.
    pub fn open(name: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        options.custom_flags(FILE_FLAG_OVERLAPPED).security_qos_flags(SECURITY_IDENTIFICATION);
        let file = options.open(name)?;
        let (came, went) = (Event::new()?, Event::new()?);
        let reading = Reading { overlapped: OVERLAPPED::default(), bytes: [0; AT_ONCE] };
        let reading = NonNull::from(Box::leak(Box::new(reading)));
        Ok(Self { file, came, went, reading, state: State::Idle })
    }

    /// Whose the pipe is, and who may do what with it.
    ///
    /// # Errors
    /// If the system does not tell.
    pub fn descriptor(&self) -> io::Result<Descriptor> {
        Descriptor::of_open(&self.file)
    }

    /// Reads what is there, waiting for it so long at most where that is said; 0 at the end.
    ///
    /// # Errors
    /// `TimedOut` if nothing came, or the system's.
    pub fn read(&mut self, space: &mut [u8], within: Option<Duration>) -> io::Result<usize> {
        if !self.wait(within)? {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let State::Here { from, to } = self.state else { return Ok(0) };
        let n = space.len().min(to - from);
        // SAFETY: no read goes on, so the bytes are ours alone, and so many were read.
        let bytes = unsafe { &(*self.reading.as_ptr()).bytes };
        space[..n].copy_from_slice(&bytes[from..from + n]);
        self.state = if from + n < to { State::Here { from: from + n, to } } else { State::Idle };
        Ok(n)
    }

    /// Whether there is something to read within that time, or the other end has gone. What goes wrong, the next read tells.
    pub fn comes_within(&mut self, within: Duration) -> bool {
        self.wait(Some(within)).unwrap_or(true)
    }

    /// Writes it all, waiting so long at most for room for each part.
    ///
    /// # Errors
    /// `TimedOut`, or the system's.
    pub fn write_all(&mut self, mut bytes: &[u8], within: Duration) -> io::Result<()> {
        while !bytes.is_empty() {
            let written = self.write(bytes, within)?;
            bytes = bytes.get(written..).unwrap_or_default();
        }
        Ok(())
    }

    fn write(&mut self, bytes: &[u8], within: Duration) -> io::Result<usize> {
        let mut overlapped =
            OVERLAPPED { hEvent: self.went.as_handle().as_raw_handle(), ..Default::default() };
        let overlapped = &raw mut overlapped;
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let file = self.file.as_raw_handle();
        // SAFETY: the bytes are as many as is said, and neither they nor the structure go away before the write is over, which
        // is waited for below.
        let begun = unsafe { WriteFile(file, bytes.as_ptr(), length, null_mut(), overlapped) };
        if begun == 0 {
            let error = io::Error::last_os_error();
            if !is(&error, &[ERROR_IO_PENDING]) {
                return Err(error);
            }
        }
        let in_time = is_set(&self.went, Some(within));
        // SAFETY: it was begun with this structure.
        match unsafe { finished(file, overlapped, !matches!(in_time, Ok(true))) } {
            // It was called off: so it was not in time.
            Err(error) if is(&error, &[ERROR_OPERATION_ABORTED]) => {
                Err(in_time.err().unwrap_or_else(|| io::ErrorKind::TimedOut.into()))
            }
            Ok(0) => Err(io::ErrorKind::TimedOut.into()),
            written => written,
        }
    }

    /// Waits until there is something, or the end. Returns whether there is.
    fn wait(&mut self, within: Option<Duration>) -> io::Result<bool> {
        if matches!(self.state, State::Idle) {
            self.begin()?;
        }
        if !matches!(self.state, State::Reading) {
            return Ok(true);
        }
        if !is_set(&self.came, within)? {
            return Ok(false);
        }
        // SAFETY: it was begun with this structure, and is over.
        let read = unsafe { finished(self.file.as_raw_handle(), self.overlapped(), false) };
        self.state = State::Idle;
        match read {
            Ok(0) => self.ended()?,
            Ok(to) => self.state = State::Here { from: 0, to },
            Err(error) if is_end(&error) => self.ended()?,
            Err(error) => return Err(error),
        }
        Ok(true)
    }

    fn begin(&mut self) -> io::Result<()> {
        let reading = self.reading.as_ptr();
        // SAFETY: no read goes on, so it is ours alone.
        unsafe {
            (*reading).overlapped =
                OVERLAPPED { hEvent: self.came.as_handle().as_raw_handle(), ..Default::default() };
        }
        // SAFETY: the bytes are as many as is said, and neither they nor the structure are touched or freed before the read
        // is over.
        let begun = unsafe {
            let bytes = (&raw mut (*reading).bytes).cast();
            let file = self.file.as_raw_handle();
            ReadFile(file, bytes, AT_ONCE as u32, null_mut(), self.overlapped())
        };
        let error = io::Error::last_os_error();
        if begun != 0 || is(&error, &[ERROR_IO_PENDING]) {
            self.state = State::Reading;
            Ok(())
        } else if is_end(&error) {
            self.ended()
        } else {
            Err(error)
        }
    }

    /// From now on there is always something to be told: that there is nothing more.
    fn ended(&mut self) -> io::Result<()> {
        self.state = State::Ended;
        self.came.set()
    }

    fn overlapped(&self) -> *mut OVERLAPPED {
        // SAFETY: it points to where the structure is as long as this is there.
        unsafe { &raw mut (*self.reading.as_ptr()).overlapped }
    }
}

impl AsHandle for Pipe {
    fn as_handle(&self) -> BorrowedHandle<'_> {
        self.came.as_handle()
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        if matches!(self.state, State::Reading) {
            // SAFETY: it was begun with this structure. Whatever came is nobody's any more.
            let _ = unsafe { finished(self.file.as_raw_handle(), self.overlapped(), true) };
        }
        // SAFETY: it came from a box, and no read goes on any more.
        let mut reading = unsafe { Box::from_raw(self.reading.as_ptr()) };
        reading.bytes.zeroize();
    }
}

/// Whether it is set within that time.
fn is_set(event: &Event, within: Option<Duration>) -> io::Result<bool> {
    Ok(wait(&[event.as_handle()], within)?.is_some())
}

/// The other end has gone.
fn is_end(error: &io::Error) -> bool {
    is(error, &[ERROR_BROKEN_PIPE, ERROR_PIPE_NOT_CONNECTED])
}
