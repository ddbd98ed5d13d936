//! What a client connects to, without a server behind it.

#[cfg(unix)]
mod unix;
#[cfg(unix)]
pub(crate) use unix::{Listener, Peer};
#[cfg(windows)]
mod windows;
#[cfg(windows)]
pub(crate) use windows::{Listener, Peer};
