use std::{
    os::unix::net::{UnixListener, UnixStream},
    path::PathBuf,
};

use tempfile::TempDir;

pub(crate) type Peer = UnixStream;

/// A socket that somebody listens at.
pub(crate) struct Listener {
    home: TempDir,
    socket: UnixListener,
}

impl Listener {
    pub(crate) fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let socket = UnixListener::bind(home.path().join("s.sock")).unwrap();
        Self { home, socket }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.home.path().join("s.sock")
    }

    /// Takes one client, and keeps the folder as long as that is wanted.
    pub(crate) fn accept(self) -> (TempDir, Peer) {
        let (peer, _) = self.socket.accept().unwrap();
        (self.home, peer)
    }
}
