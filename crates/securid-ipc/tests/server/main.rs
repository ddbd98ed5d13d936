//! The server against raw sockets: slow, silent, half-closed, vanished and flooding clients.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod crowd;
mod events;
mod exchange;
mod harness;
mod limits;
mod listener;
