//! Connecting to a daemon's socket, and whose it is.

use std::{
    io::{self, Read as _, Write as _},
    os::fd::{AsFd, BorrowedFd},
    path::{Path, PathBuf},
    thread::sleep,
    time::{Duration, Instant},
};

use interprocess::{
    ConnectWaitMode,
    local_socket::{
        ConnectOptions, Stream,
        traits::{Stream as _, StreamCommon as _},
    },
};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
};
use securid_trust::{Standing, Untrusted, real_path};

use super::address;
use crate::{
    client::Events,
    endpoint::ConnectError,
    paths::{SOCKET_PATH_LIMIT, is_of_a_system_unit},
};

/// How often a socket whose queue is full is tried again: Linux refuses there at once instead of
/// letting a non-blocking connect wait.
const QUEUE_FULL: Duration = Duration::from_millis(20);

/// Root, who owns the sockets that systemd binds for system units.
const ROOT: u32 = 0;

/// A connection to a daemon, as its client has it.
pub(crate) struct ClientStream(Stream);

/// Connects to the socket at `path`, if it is a daemon of ours that listens there.
///
/// # Errors
/// [`ConnectError`]; that nobody is there is [`ConnectError::NoDaemon`].
pub(crate) fn connect(path: &Path, until: Instant) -> Result<ClientStream, ConnectError> {
    let failed = |source| ConnectError::Failed { path: path.to_owned(), source };
    let too_long = || ConnectError::TooLong { path: path.to_owned(), limit: SOCKET_PATH_LIMIT };
    let name = address::name(path).ok_or_else(too_long)?.map_err(failed)?;
    let real = check_place(path)?;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ConnectError::Unresponsive { path: path.to_owned() });
        }
        let wait = ConnectWaitMode::Timeout(left);
        match ConnectOptions::new().name(name.borrow()).wait_mode(wait).connect_sync() {
            Ok(stream) if is_connected(&stream) => {
                return check_owner(&stream, path, &real).map(|()| ClientStream(stream));
            }
            Ok(_) => sleep(QUEUE_FULL),
            Err(error) if error.kind() == io::ErrorKind::TimedOut => {}
            Err(error) => return Err(not_connected(path, error)),
        }
    }
}

impl ClientStream {
    /// Reads what is there, waiting for it at most so long where that is said; 0 at the end.
    ///
    /// # Errors
    /// The system's. [`is_timeout`](crate::client::is_timeout) tells that nothing came in time, or a signal.
    pub(crate) fn read(&mut self, space: &mut [u8], within: Option<Duration>) -> io::Result<usize> {
        self.0.set_recv_timeout(within)?;
        (&self.0).read(space)
    }

    /// Reads what has come, as [`ClientStream::comes_within`] has told; 0 at the end.
    ///
    /// # Errors
    /// As of [`ClientStream::read`].
    pub(crate) fn take(&mut self, space: &mut [u8]) -> io::Result<usize> {
        (&self.0).read(space)
    }

    /// Writes it all, waiting at most so long for room for each part.
    ///
    /// # Errors
    /// As of [`ClientStream::read`].
    pub(crate) fn write_all(&mut self, bytes: &[u8], within: Duration) -> io::Result<()> {
        self.0.set_send_timeout(Some(within))?;
        (&self.0).write_all(bytes)
    }

    /// Whether there is something to read within that time; a signal ends the wait.
    pub(crate) fn comes_within(&mut self, within: Duration) -> bool {
        let Stream::UdSocket(socket) = &self.0;
        let mut look = [PollFd::new(socket.inner(), PollFlags::IN)];
        // A wait that is too long to be told to the kernel has no end.
        let within = Timespec::try_from(within).ok();
        !matches!(poll(&mut look, within.as_ref()), Ok(0) | Err(Errno::INTR))
    }
}

/// For whoever waits for something else besides: readable when the daemon has said something, or has gone. Before the
/// wait [`Events::next`] has to have had none, for some may be read already.
impl AsFd for Events {
    fn as_fd(&self) -> BorrowedFd<'_> {
        let Stream::UdSocket(socket) = &self.stream().0;
        socket.inner().as_fd()
    }
}

/// Nobody but root and us can have put the socket there, nor can put another there before we connect. Gives
/// back its path from the root, without links: neither socket nor folder may be one, not even ours, for it
/// helps nobody, and whoever looks at that folder should see the one that counts.
fn check_place(path: &Path) -> Result<PathBuf, ConnectError> {
    let refused = |why| Err(ConnectError::Unsafe { path: path.to_owned(), why });
    let about = Standing::at(path).map_err(|error| not_connected(path, error))?;
    let real = match real_path(path) {
        Ok(real) => real,
        Err(Untrusted::Look { source, .. }) => return Err(not_connected(path, source)),
        Err(untrusted) => return refused(untrusted.to_string()),
    };
    if about.metadata().is_symlink() {
        return refused("it is a symbolic link: name the socket itself".to_owned());
    }
    if address::folder(path).is_symlink() {
        return refused("its folder is a symbolic link: name the folder itself".to_owned());
    }
    if !about.is_trusted() {
        return refused(format!(
            "it belongs to {}, and neither to root nor to this user",
            about.owner()
        ));
    }
    Ok(real)
}

fn not_connected(path: &Path, source: io::Error) -> ConnectError {
    if is_nobody(&source) {
        ConnectError::NoDaemon { tried: vec![] }
    } else {
        ConnectError::Failed { path: path.to_owned(), source }
    }
}

/// Nothing listens there: no file, a dead daemon's socket, a folder that is no folder.
fn is_nobody(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionRefused, NotADirectory, NotFound};
    matches!(error.kind(), ConnectionRefused | NotADirectory | NotFound)
}

/// On Linux a full queue makes a non-blocking connect fail with EAGAIN, which `interprocess` takes
/// for "under way": the stream that it returns is not connected.
fn is_connected(stream: &Stream) -> bool {
    let Stream::UdSocket(socket) = stream;
    socket.inner().peer_addr().is_ok()
}

/// A daemon of our own user is ours, and root's where systemd has bound the socket.
fn check_owner(stream: &Stream, path: &Path, real: &Path) -> Result<(), ConnectError> {
    let us = rustix::process::geteuid().as_raw();
    let owner = stream.peer_creds().ok().and_then(|peer| peer.euid());
    let bound_by_systemd = is_of_a_system_unit(real) && owner == Some(ROOT);
    if owner == Some(us) || bound_by_systemd {
        Ok(())
    } else {
        let owner = owner.map(|uid| format!("uid {uid}"));
        Err(ConnectError::NotOurs { path: path.to_owned(), owner })
    }
}
