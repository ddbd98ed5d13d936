//! Sockets.

use std::{
    fs::Permissions,
    io,
    os::unix::{fs::PermissionsExt as _, net},
    path::{Path, PathBuf},
};

use tempfile::TempDir;

pub(crate) type Stream = tokio::net::UnixStream;

/// A folder that is its owner's alone.
pub(crate) fn private_folder() -> TempDir {
    let owner_only = Permissions::from_mode(0o700);
    tempfile::Builder::new().permissions(owner_only).tempdir().unwrap()
}

/// Where the server of this folder is to be found.
pub(crate) fn place(home: &Path) -> PathBuf {
    home.join("s.sock")
}

/// Whether there is a way to a server.
pub(crate) fn is_there(place: &Path) -> bool {
    place.exists()
}

pub(crate) async fn connect(place: &Path) -> io::Result<Stream> {
    Stream::connect(place).await
}

/// Closes it, so that this is seen at the other end.
pub(crate) async fn close(stream: Stream) {
    drop(stream);
}

/// Connects without letting any server in this thread run meanwhile.
pub(crate) fn connect_at_once(place: &Path) -> net::UnixStream {
    net::UnixStream::connect(place).unwrap()
}
