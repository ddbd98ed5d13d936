//! As systemd does it (`LISTEN_FDS`).

use std::io;
pub(crate) use std::os::unix::net::UnixListener as Socket;

use listenfd::ListenFd;
use securid_ipc::server::{BindError, Listener};

/// Why what was handed over cannot be served.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BadSocket {
    #[error("{0} sockets were handed over, and one is served: give the unit one ListenStream=")]
    Several(usize),
    #[error(
        "what was handed over is no Unix stream socket ({0}): give the unit ListenStream= with a path"
    )]
    OtherKind(io::Error),
}

/// Takes it, if there is one. Called before the process has a second thread, for the variables that
/// tell of it are taken out of the environment.
///
/// # Errors
/// If it is anything but one Unix stream socket.
pub(crate) fn take_socket() -> Result<Option<Socket>, BadSocket> {
    let mut handed_over = ListenFd::from_env();
    match handed_over.len() {
        0 => Ok(None),
        1 => handed_over.take_unix_listener(0).map_err(BadSocket::OtherKind),
        several => Err(BadSocket::Several(several)),
    }
}

/// Serves it.
///
/// # Errors
/// If it cannot be asked for what it is.
pub(crate) fn listener(socket: Socket) -> Result<Listener, BindError> {
    Listener::inherited(socket)
}

/// What is to be mended about one that is served.
pub(crate) fn complaint(listener: &Listener) -> Option<String> {
    listener.is_open_to_others().then(|| {
        let socket = listener.path().display();
        format!("{socket} lets other users connect; they are refused: set SocketMode=0600")
    })
}
