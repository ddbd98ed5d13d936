//! Where nothing is handed over.

pub(crate) use std::convert::{Infallible as BadSocket, Infallible as Socket};

use securid_ipc::server::{BindError, Listener};

/// There is none.
///
/// # Errors
/// None.
pub(crate) fn take_socket() -> Result<Option<Socket>, BadSocket> {
    Ok(None)
}

/// # Errors
/// None.
pub(crate) fn listener(socket: Socket) -> Result<Listener, BindError> {
    match socket {}
}

/// None.
pub(crate) fn complaint(_: &Listener) -> Option<String> {
    None
}
