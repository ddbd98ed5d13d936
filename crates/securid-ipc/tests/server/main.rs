//! The server against clients who speak by hand: slow, silent, half-closed, vanished and flooding ones.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../endpoint/mod.rs"]
mod endpoint;

mod crowd;
mod events;
mod exchange;
mod harness;
mod limits;

// What sockets alone have: a file with a mode, a queue, two directions to close; and what pipes alone have.
#[cfg(unix)]
mod half_closed;
#[cfg(unix)]
mod listener;
#[cfg(windows)]
mod pipe;
#[cfg(unix)]
mod queue;
