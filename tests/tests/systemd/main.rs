//! On a real systemd, with real units, logind and keyrings.
//!
//! - `desktop`: logind's locks, sleep and shutdown
//! - `units`: what systemd itself thinks of the units
//! - `sandbox`: what the sandbox really bars
//! - `stores`: where the sandboxed daemon keeps secrets, and where it refuses to
//! - `service`: what the manager does for the daemon
//! - `stops`: however the daemon ends, what was acknowledged is revoked
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod desktop;
mod sandbox;
mod service;
mod stops;
mod stores;
mod units;
