//! Sockets of macOS.

use std::{
    fs::{Permissions, set_permissions},
    io,
    os::unix::{fs::PermissionsExt as _, net::UnixListener},
    path::Path,
};

use interprocess::local_socket::{ListenerOptions, tokio::Listener};
use rustix::net::SendFlags;

/// A client that has gone would be a signal as well, which every Rust program ignores from its start on.
pub(super) const QUIETLY: SendFlags = SendFlags::DONTWAIT;

/// Whether a socket of this type was told to listen. The system does not tell: the first accept will.
pub(super) fn listens(_: &UnixListener) -> bool {
    true
}

/// Binds a socket and gives its file this mode. A socket that has no file yet cannot be given one here; in between its
/// folder, which is ours alone, keeps the others out.
pub(super) fn bind(options: ListenerOptions<'_>, mode: u16, path: &Path) -> io::Result<Listener> {
    let listener = options.create_tokio()?;
    set_permissions(path, Permissions::from_mode(mode.into()))?;
    Ok(listener)
}
