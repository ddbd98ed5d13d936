//! On a real systemd, with real units, logind and keyrings.
//!
//! - `setup`: `securid-ctl setup`, `start`, `restart` and `stop`, which leave the daemon to systemd
//! - `shells`: the last shell logs out, and no other
//! - `stores`: where the sandboxed daemon keeps secrets, and where it refuses to
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod setup;
mod shells;
mod stores;
