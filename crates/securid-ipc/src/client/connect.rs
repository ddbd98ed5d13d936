//! Finding the daemon, and whose it is.

use std::{
    io,
    path::{Path, PathBuf},
    thread::sleep,
    time::{Duration, Instant},
};

use interprocess::{
    ConnectWaitMode,
    local_socket::{ConnectOptions, Stream, traits::StreamCommon as _},
};

use super::ConnectError;
use crate::{address, paths::SYSTEM_SOCKETS};

/// How often a socket whose queue is full is tried again: Linux refuses there at once instead of
/// letting a non-blocking connect wait.
const QUEUE_FULL: Duration = Duration::from_millis(20);

/// Root, who owns the sockets that systemd binds for system units.
const ROOT: u32 = 0;

/// Connects to the first candidate behind which a daemon of ours listens.
pub(super) fn connect(
    candidates: &[PathBuf],
    until: Instant,
) -> Result<(Stream, PathBuf), ConnectError> {
    let mut worst = None;
    for path in candidates {
        match connect_to(path, until) {
            Ok(stream) => return Ok((stream, path.clone())),
            // A daemon is there, and stopped: another would be a second one.
            Err(error @ ConnectError::Unresponsive { .. }) => return Err(error),
            Err(ConnectError::NoDaemon { .. }) => {}
            Err(error) => worst = worst.or(Some(error)),
        }
    }
    Err(worst.unwrap_or_else(|| ConnectError::NoDaemon { tried: candidates.to_vec() }))
}

fn connect_to(path: &Path, until: Instant) -> Result<Stream, ConnectError> {
    let failed = |source| ConnectError::Failed { path: path.to_owned(), source };
    let too_long = || ConnectError::TooLong { path: path.to_owned() };
    let name = address::name(path).ok_or_else(too_long)?.map_err(failed)?;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ConnectError::Unresponsive { path: path.to_owned() });
        }
        let wait = ConnectWaitMode::Timeout(left);
        match ConnectOptions::new().name(name.borrow()).wait_mode(wait).connect_sync() {
            Ok(stream) if is_connected(&stream) => {
                return check_owner(&stream, path).map(|()| stream);
            }
            Ok(_) => sleep(QUEUE_FULL),
            Err(error) if error.kind() == io::ErrorKind::TimedOut => {}
            Err(error) if is_nobody(&error) => {
                return Err(ConnectError::NoDaemon { tried: vec![] });
            }
            Err(error) => return Err(failed(error)),
        }
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
fn check_owner(stream: &Stream, path: &Path) -> Result<(), ConnectError> {
    let us = rustix::process::geteuid().as_raw();
    let owner = stream.peer_creds().ok().and_then(|peer| peer.euid());
    let bound_by_systemd = path.starts_with(SYSTEM_SOCKETS) && owner == Some(ROOT);
    if owner == Some(us) || bound_by_systemd {
        Ok(())
    } else {
        Err(ConnectError::NotOurs { path: path.to_owned(), owner })
    }
}
