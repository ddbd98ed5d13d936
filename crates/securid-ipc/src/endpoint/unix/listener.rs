//! Binding a socket, or taking over one that the service manager has bound.
//!
//! `interprocess`' own `try_overwrite` took the path from a live daemon, and the old listener then
//! unlinked the new one's socket. So here: connect to what is there, unlink it only if it refuses,
//! bind with name reclaiming off, unlink our own at the end. Two daemons that start at once are
//! kept apart by the lock in the state folder, which is taken before.

use std::{
    fs, io,
    os::{
        fd::OwnedFd,
        unix::{
            fs::{FileTypeExt as _, MetadataExt as _},
            net::UnixListener,
        },
    },
    path::{Path, PathBuf},
    time::Duration,
};

use interprocess::{
    ConnectWaitMode,
    local_socket::{
        ConnectOptions, ListenerOptions, Name,
        tokio::{Listener as Socket, prelude::*},
    },
    os::unix::uds_local_socket::tokio::Listener as UnixSocket,
};
use securid_trust::folder::{self, FolderError};

use super::{address, kernel, stream::ServerStream};
use crate::{endpoint::BindError, paths::SOCKET_PATH_LIMIT};

/// Read and write for the owner: to connect, one must be allowed to write.
const SOCKET_MODE: u16 = 0o600;

/// How long a socket that is there may take to accept or refuse. Linux decides at once; a daemon
/// whose queue is full is a live one.
const PROBE: Duration = Duration::from_secs(1);

/// Write permission for others, who could then connect.
const OPEN_TO_OTHERS: u32 = 0o022;

/// A listening socket. Dropped, one that was bound here unlinks its path, if that is still its own;
/// one that was handed over stays, and so do the clients in its queue.
#[derive(Debug)]
pub struct Listener {
    socket: Socket,
    path: PathBuf,
    bound: Option<Bound>,
}

impl Listener {
    /// Binds the socket at `path`, whose folder is made or checked to be ours alone. What a dead
    /// daemon left there is cleared away; a live one is respected. Call it on a tokio runtime
    /// with I/O enabled.
    ///
    /// # Errors
    /// [`BindError`], which says what is in the way.
    pub fn bind(path: &Path) -> Result<Self, BindError> {
        let failed = |source| BindError::Failed { path: path.to_owned(), source };
        let too_long = || BindError::TooLong { path: path.to_owned(), limit: SOCKET_PATH_LIMIT };
        let name = address::name(path).ok_or_else(too_long)?.map_err(failed)?;
        let folder = address::folder(path);
        if folder.is_symlink() {
            return Err(FolderError::NotAFolder { path: folder.to_owned() }.into());
        }
        folder::private(folder)?;
        clear_away_the_dead(path, &name)?;
        let options = ListenerOptions::new().name(name).reclaim_name(false);
        let socket = kernel::bind(options, SOCKET_MODE, path).map_err(|error| {
            // Something came between: it is alive.
            match error.kind() {
                io::ErrorKind::AddrInUse => BindError::InUse { path: path.to_owned() },
                _ => failed(error),
            }
        })?;
        let inode = inode(path).map_err(failed)?;
        let bound = Bound { path: path.to_owned(), inode };
        Ok(Self { socket, path: path.to_owned(), bound: Some(bound) })
    }

    /// Takes over a socket that somebody else has bound and goes on holding: its path stays when this
    /// is dropped, and whoever waits in its queue then is the next daemon's. Its folder and mode
    /// are its owner's business, since peers are told by their uid ([`Listener::is_open_to_others`]). Call it
    /// on a tokio runtime with I/O enabled.
    ///
    /// # Errors
    /// [`BindError::NotForUs`] if it does not listen at a path, [`BindError::Failed`] if the system
    /// refuses.
    pub fn inherited(socket: UnixListener) -> Result<Self, BindError> {
        let unusable = |what| BindError::NotForUs { what };
        let address = socket.local_addr().map_err(|_| unusable("has no address"))?;
        let path = address.as_pathname().ok_or(unusable("has no path"))?.to_owned();
        if !kernel::listens(&socket) {
            return Err(unusable("does not listen"));
        }
        let socket = UnixSocket::try_from(OwnedFd::from(socket))
            .map_err(|source| BindError::Failed { path: path.clone(), source })?;
        Ok(Self { socket: Socket::from(socket), path, bound: None })
    }

    /// Where it listens.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the file's mode lets other users connect. They are refused all the same.
    #[must_use]
    pub fn is_open_to_others(&self) -> bool {
        fs::symlink_metadata(&self.path).is_ok_and(|found| found.mode() & OPEN_TO_OTHERS != 0)
    }

    /// Lets no new client find a socket that was bound here.
    pub(crate) fn unlink(&mut self) {
        self.bound = None;
    }

    /// Whether it was bound here, so that nobody else will serve who is in its queue.
    pub(crate) fn is_bound_here(&self) -> bool {
        self.bound.is_some()
    }

    /// Waits for the next client; none if it is somebody else's. Safe to drop between two polls.
    ///
    /// # Errors
    /// If nobody can be let in just now.
    pub(crate) async fn accept(&mut self) -> io::Result<Option<ServerStream>> {
        self.socket.accept().await.map(ServerStream::of_ours)
    }
}

/// A path that is ours to unlink.
#[derive(Debug)]
struct Bound {
    path: PathBuf,
    inode: (u64, u64),
}

impl Drop for Bound {
    fn drop(&mut self) {
        if inode(&self.path).is_ok_and(|now| now == self.inode) {
            // A leftover is cleared away at the next start.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn clear_away_the_dead(path: &Path, name: &Name<'_>) -> Result<(), BindError> {
    let failed = |source| BindError::Failed { path: path.to_owned(), source };
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    if !found.file_type().is_socket() {
        return Err(BindError::NotASocket { path: path.to_owned() });
    }
    let probe =
        ConnectOptions::new().name(name.borrow()).wait_mode(ConnectWaitMode::Timeout(PROBE));
    match probe.connect_sync() {
        Ok(_) => Err(BindError::InUse { path: path.to_owned() }),
        Err(error) if error.kind() == io::ErrorKind::TimedOut => {
            Err(BindError::InUse { path: path.to_owned() })
        }
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            fs::remove_file(path).map_err(failed)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(failed(error)),
    }
}

/// What tells a file from another that later has its path.
fn inode(path: &Path) -> io::Result<(u64, u64)> {
    fs::symlink_metadata(path).map(|found| (found.dev(), found.ino()))
}
