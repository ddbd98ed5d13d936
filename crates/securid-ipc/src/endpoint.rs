//! Where client and server meet: a Unix socket with a path, and on Windows a named pipe. What is on both sides of it is
//! the same everywhere.
//!
//! - `client`: connecting to a daemon that is ours, reading and writing with deadlines, without a runtime;
//! - `listener`: binding without ever taking a place from a live daemon; letting in nobody but our own user;
//! - `stream`: one client, as the server reads and writes it; `open`: a way to ask the own server, as clients do.

#[cfg(unix)]
mod unix;
#[cfg(unix)]
use unix as system;
#[cfg(windows)]
mod windows;
#[cfg(windows)]
use windows as system;

#[cfg(feature = "server")]
mod bind_error;
#[cfg(feature = "client")]
mod connect_error;

#[cfg(feature = "server")]
pub use bind_error::BindError;
#[cfg(feature = "client")]
pub use connect_error::ConnectError;
#[cfg(feature = "client")]
pub(crate) use connect_error::{NOT_YOURS, UNREACHABLE};
#[cfg(feature = "client")]
pub(crate) use system::client::{ClientStream, connect};
#[cfg(feature = "server")]
pub use system::listener::Listener;
#[cfg(feature = "server")]
pub(crate) use system::probe::open;
#[cfg(feature = "server")]
pub(crate) use system::stream::ServerStream;
