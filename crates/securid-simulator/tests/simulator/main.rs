//! The simulator as a client sees it, over raw TLS and plain connections.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod client;
mod control;
mod documented;
mod faults;
mod lifetime;
mod load;
mod program;
mod transport;
