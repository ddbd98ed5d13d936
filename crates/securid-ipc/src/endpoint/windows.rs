//! A named pipe that only its owner can open.
//!
//! - `name`: what may be one; `client`, `listener`, `stream`: both sides of it; `probe`: asking the own server.

mod name;

#[cfg(feature = "client")]
pub(crate) mod client;
#[cfg(feature = "server")]
pub(crate) mod listener;
#[cfg(feature = "server")]
pub(crate) mod probe;
#[cfg(feature = "server")]
pub(crate) mod stream;
