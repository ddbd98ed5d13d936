//! Whoever watches sees every session as it is, whatever becomes of it, of the daemon, and of his own patience.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod lines;
mod state;
mod table;
mod unread;
mod watcher;
