//! On a real systemd, with real units, logind and keyrings.
//!
//! - `units`: what systemd itself thinks of the units
//! - `sandbox`: what the sandbox really bars
//! - `setup`: `securid-ctl setup`, `start`, `restart` and `stop`, which leave the daemon to systemd
//! - `package`: the Debian package, installed, upgraded and removed
//! - `shells`: the last shell logs out, and no other
//! - `stores`: where the sandboxed daemon keeps secrets, and where it refuses to
//! - `service`: what the manager does for the daemon
//! - `stops`: however the daemon ends, what was acknowledged is revoked
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod package;
mod sandbox;
mod service;
mod setup;
mod shells;
mod stops;
mod stores;
mod units;
