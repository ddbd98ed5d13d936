//! Finding the daemon, and whose it is.

use std::{
    io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    thread::sleep,
    time::{Duration, Instant},
};

use interprocess::{
    ConnectWaitMode,
    local_socket::{ConnectOptions, Stream, traits::StreamCommon as _},
};
use securid_trust::{Untrusted, is_trusted, real_path};

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
    let real = check_place(path)?;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ConnectError::Unresponsive { path: path.to_owned() });
        }
        let wait = ConnectWaitMode::Timeout(left);
        match ConnectOptions::new().name(name.borrow()).wait_mode(wait).connect_sync() {
            Ok(stream) if is_connected(&stream) => {
                return check_owner(&stream, path, &real).map(|()| stream);
            }
            Ok(_) => sleep(QUEUE_FULL),
            Err(error) if error.kind() == io::ErrorKind::TimedOut => {}
            Err(error) => return Err(not_connected(path, error)),
        }
    }
}

/// Nobody but root and us can have put the socket there, nor can put another there before we connect. Gives
/// back its path from the root, without links: neither socket nor folder may be one, not even ours, for it
/// helps nobody, and whoever looks at that folder should see the one that counts.
fn check_place(path: &Path) -> Result<PathBuf, ConnectError> {
    let refused = |why| Err(ConnectError::Unsafe { path: path.to_owned(), why });
    let about = path.symlink_metadata().map_err(|error| not_connected(path, error))?;
    let real = match real_path(path) {
        Ok(real) => real,
        Err(Untrusted::Look { source, .. }) => return Err(not_connected(path, source)),
        Err(untrusted) => return refused(untrusted.to_string()),
    };
    if about.is_symlink() {
        return refused("it is a symbolic link: name the socket itself".to_owned());
    }
    if address::folder(path).is_symlink() {
        return refused("its folder is a symbolic link: name the folder itself".to_owned());
    }
    if !is_trusted(about.uid()) {
        return refused(format!(
            "it belongs to uid {}, and neither to root nor to this user",
            about.uid()
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
    let bound_by_systemd = real.starts_with(SYSTEM_SOCKETS) && owner == Some(ROOT);
    if owner == Some(us) || bound_by_systemd {
        Ok(())
    } else {
        Err(ConnectError::NotOurs { path: path.to_owned(), owner })
    }
}
