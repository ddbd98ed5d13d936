//! The server: a socket that only its owner reaches, and any number of connections above one
//! [`Service`].
//!
//! - `accept`: [`serve`], which takes connections until it is told to stop;
//! - `connection`: the exchange with one client; `calls`: what it has asked;
//! - `seats`: who is connected, and who leaves where there is no room for one more;
//! - `feed`: the events of one that has subscribed;
//! - `outbox`: the answers that wait for a client to read them; `unread`: how much may wait;
//! - `probe`: whether a server answers.
//!
//! Everything runs as tasks on the caller's tokio runtime, of either flavour; a [`Service`] is
//! therefore `Send + Sync`, and so are its futures.

mod accept;
mod calls;
mod connection;
mod feed;
mod outbox;
mod probe;
mod seats;
mod unread;

use std::{future::Future, io, sync::Arc};

pub use accept::{Wanted, serve};
pub use probe::probe;

pub use crate::endpoint::{BindError, Listener};
use crate::messages::{Call, Event, Reply, RpcError};

/// A connection's own number, never used twice while the server runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(pub u64);

/// How many clients there may be at once.
#[derive(Debug, Clone, Copy)]
pub struct Room {
    /// So many connections.
    pub most: usize,
    /// The process that is let in beyond that: whoever finds out whether the server answers must not take
    /// a crowd for a server that does not.
    pub always_for: Option<u32>,
}

/// What whoever runs the server may want to know. Each is told when it begins, and once a minute as long as it
/// goes on.
#[derive(Debug)]
pub enum Notice {
    /// Nobody can be let in, for want of descriptors or memory. Who waits for it is let in later.
    CannotAccept(io::Error),
    /// There are as many connections as there may be, and one more has come.
    Crowded {
        /// So many.
        most: usize,
    },
}

/// What stands behind the socket.
///
/// A panic in any of its functions is passed on: it ends [`serve`], and with it the daemon.
pub trait Service: Send + Sync + 'static {
    /// Carries out one call. Calls of one connection run side by side, and a call runs to its end
    /// even if its client goes away meanwhile; only the end of [`serve`] drops it.
    fn call(
        self: Arc<Self>,
        connection: ConnectionId,
        call: Call,
    ) -> impl Future<Output = Result<Reply, RpcError>> + Send;

    /// The next event for a connection that was answered with [`Reply::Subscribed`]; none if it will not be told
    /// of any more. It is asked for one at a time, when the client has room for it. A wait that is dropped takes no
    /// event with it, for the connection has ended then.
    fn next_event(&self, _: ConnectionId) -> impl Future<Output = Option<Event>> + Send {
        std::future::ready(None)
    }

    /// The reply could not be handed over: its client had gone, or it was never to be told. Handed
    /// over is what the kernel has taken for a client that was still there; whether the client
    /// then read it, nobody knows. A page that waited unread does not come back.
    fn undelivered(&self, reply: Reply);

    /// Whether anything is done for this connection's client beyond the calls that were answered: it is not idle then,
    /// though it waits for nothing.
    fn has_work(&self, connection: ConnectionId) -> bool {
        let _ = connection;
        false
    }

    /// Nobody reads the answers of this connection any more: whatever is done for its client alone may end.
    /// Comes before [`Service::closed`], while calls may still run.
    fn gone(&self, connection: ConnectionId) {
        let _ = connection;
    }

    /// The client has closed or half-closed, or is dropped, and none of its calls runs any more.
    /// Comes exactly once for each connection, last.
    fn closed(&self, connection: ConnectionId);

    /// Something that people may want to know of.
    fn notice(&self, notice: Notice);
}
