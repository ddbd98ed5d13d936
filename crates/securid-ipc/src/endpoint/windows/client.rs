//! Connecting to a daemon's pipe, and whose it is.

use std::{
    io,
    os::windows::io::{AsHandle, BorrowedHandle},
    path::Path,
    time::{Duration, Instant},
};

use securid_windows::{
    descriptor::Descriptor,
    pipes::{
        client::Pipe,
        place::{is_busy, wait_for_room},
    },
    sid::this_user,
};

use super::name::is_pipe;
use crate::{client::Events, endpoint::ConnectError};

/// A connection to a daemon, as its client has it.
pub(crate) struct ClientStream(Pipe);

/// Connects to the pipe at `path`, if it is a daemon of ours that waits there.
///
/// # Errors
/// [`ConnectError`]; that nobody is there is [`ConnectError::NoDaemon`].
pub(crate) fn connect(path: &Path, until: Instant) -> Result<ClientStream, ConnectError> {
    if !is_pipe(path) {
        return Err(ConnectError::NotAPipe { path: path.to_owned() });
    }
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ConnectError::Unresponsive { path: path.to_owned() });
        }
        match Pipe::open(path) {
            Ok(pipe) => return check_owner(&pipe, path).map(|()| ClientStream(pipe)),
            // One is being served, and the next one's place is not there yet.
            Err(error) if is_busy(&error) => {
                wait_for_room(path.as_os_str(), left)
                    .map_err(|error| not_connected(path, error))?;
            }
            Err(error) => return Err(not_connected(path, error)),
        }
    }
}

/// A pipe is ours if it belongs to our user, which nobody else but an administrator can have it do, and if it was no program in a
/// sandbox that has made it: such a one is our user, too, and must not be told what he types. Until this is known nothing is sent.
fn check_owner(pipe: &Pipe, path: &Path) -> Result<(), ConnectError> {
    let us = this_user().map_err(|error| not_connected(path, error))?;
    let about = pipe.descriptor().ok();
    let owner = about.as_ref().and_then(Descriptor::owner);
    if owner.as_ref() != Some(&us) {
        let owner = owner.map(|owner| owner.to_string());
        return Err(ConnectError::NotOurs { path: path.to_owned(), owner });
    }
    if about.is_none_or(|about| about.is_of_a_sandbox()) {
        let why = "a program in a sandbox has made it (low integrity): end that program, and start the daemon anew".to_owned();
        return Err(ConnectError::Unsafe { path: path.to_owned(), why });
    }
    Ok(())
}

fn not_connected(path: &Path, source: io::Error) -> ConnectError {
    match source.kind() {
        io::ErrorKind::NotFound => ConnectError::NoDaemon { tried: vec![] },
        // It lets its own user in, and nobody else.
        io::ErrorKind::PermissionDenied => {
            ConnectError::NotOurs { path: path.to_owned(), owner: None }
        }
        _ => ConnectError::Failed { path: path.to_owned(), source },
    }
}

impl ClientStream {
    /// Reads what is there, waiting for it at most so long where that is said; 0 at the end.
    ///
    /// # Errors
    /// The system's. [`is_timeout`](crate::client::is_timeout) tells that nothing came in time.
    pub(crate) fn read(&mut self, space: &mut [u8], within: Option<Duration>) -> io::Result<usize> {
        self.0.read(space, within)
    }

    /// Reads what has come, as [`ClientStream::comes_within`] has told; 0 at the end.
    ///
    /// # Errors
    /// As of [`ClientStream::read`].
    pub(crate) fn take(&mut self, space: &mut [u8]) -> io::Result<usize> {
        self.0.read(space, None)
    }

    /// Writes it all, waiting at most so long for room for each part.
    ///
    /// # Errors
    /// As of [`ClientStream::read`].
    pub(crate) fn write_all(&mut self, bytes: &[u8], within: Duration) -> io::Result<()> {
        self.0.write_all(bytes, within)
    }

    /// Whether there is something to read within that time.
    pub(crate) fn comes_within(&mut self, within: Duration) -> bool {
        self.0.comes_within(within)
    }
}

/// For whoever waits for something else besides: signalled when the daemon has said something, or has gone. Before the
/// wait [`Events::next`] has to have had none, for some may be read already.
impl AsHandle for Events {
    fn as_handle(&self) -> BorrowedHandle<'_> {
        self.stream().0.as_handle()
    }
}
