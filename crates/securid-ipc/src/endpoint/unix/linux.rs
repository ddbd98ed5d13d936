//! Sockets of Linux.

use std::{io, os::unix::net::UnixListener, path::Path};

use interprocess::{
    local_socket::{ListenerOptions, tokio::Listener},
    os::unix::local_socket::ListenerOptionsExt as _,
};
use rustix::net::{SendFlags, sockopt::socket_acceptconn};

/// A client that has gone is an error, and no signal.
pub(super) const QUIETLY: SendFlags = SendFlags::DONTWAIT.union(SendFlags::NOSIGNAL);

/// Whether a socket of this type was told to listen.
pub(super) fn listens(socket: &UnixListener) -> bool {
    socket_acceptconn(socket).unwrap_or(false)
}

/// Binds a socket whose file has this mode from the beginning.
pub(super) fn bind(options: ListenerOptions<'_>, mode: u16, _: &Path) -> io::Result<Listener> {
    options.mode(mode.into()).create_tokio()
}
