//! The server: a socket that only its owner reaches, and any number of connections above one
//! [`Service`].
//!
//! - `listener`: binding a socket without ever taking it from a live daemon;
//! - `accept`: [`serve`], which takes connections until it is told to stop;
//! - `connection`: the exchange with one client;
//! - `outbox`: the answers that wait for a client to read them;
//! - `probe`: whether a server answers.
//!
//! Everything runs as tasks on the caller's tokio runtime, of either flavour; a [`Service`] is
//! therefore `Send + Sync`, and so are its futures.

mod accept;
mod connection;
mod listener;
mod outbox;
mod probe;

use std::future::Future;

pub use accept::serve;
pub use listener::{BindError, Listener};
pub use probe::probe;

use crate::messages::{Call, Reply, RpcError};

/// A connection's own number, never used twice while the server runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(pub u64);

/// What stands behind the socket.
///
/// A panic in any of its functions is passed on: it ends [`serve`], and with it the daemon.
pub trait Service: Send + Sync + 'static {
    /// Carries out one call. Calls of one connection run side by side, and a call runs to its end
    /// even if its client goes away meanwhile; only the end of [`serve`] drops it.
    fn call(
        &self,
        connection: ConnectionId,
        call: Call,
    ) -> impl Future<Output = Result<Reply, RpcError>> + Send;

    /// The reply could not be handed over: its client had gone, or it was never to be told. Handed
    /// over is what the kernel has taken for a client that was still there; whether the client
    /// then read it, nobody knows.
    fn undelivered(&self, reply: Reply);

    /// The client has closed or half-closed, or is dropped, and none of its calls runs any more.
    /// Comes exactly once for each connection, last.
    fn closed(&self, connection: ConnectionId);
}
