//! On a real systemd, with real units, logind and keyrings.
//!
//! - `units`: what systemd itself thinks of the units
//! - `sandbox`: what the sandbox really bars
//! - `stores`: where the sandboxed daemon keeps secrets, and where it refuses to
//! - `service`: what the manager does for the daemon
//! - `stops`: however the daemon ends, what was acknowledged is revoked
//! - `desktop`: logind's locks, sleep and shutdown
//! - `journal`: what is found there, and that a stopped one holds nothing up
//! - `setup`: `securid-ctl setup`, `start`, `restart` and `stop`, which leave the daemon to systemd
//! - `doctor`: what `securid-ctl doctor` says of the units
//! - `timer`: a job without a person, of a service account
//! - `shells`: the last shell logs out, and no other
//! - `leavers`: `securid-ctl logout --all-users`: everybody is logged out, and told of, whatever users have prepared
//! - `package`: the Debian package, installed, upgraded and removed
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod desktop;
mod doctor;
mod journal;
mod leavers;
mod package;
mod sandbox;
mod service;
mod setup;
mod shells;
mod stops;
mod stores;
mod timer;
mod units;
