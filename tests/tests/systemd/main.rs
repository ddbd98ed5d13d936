//! On a real systemd, with real units, logind and keyrings.
//!
//! - `desktop`: logind's locks, sleep and shutdown
//! - `setup`: `securid-ctl setup`, `start`, `restart` and `stop`, which leave the daemon to systemd
//! - `stores`: where the sandboxed daemon keeps secrets, and where it refuses to
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod desktop;
mod setup;
mod stores;
