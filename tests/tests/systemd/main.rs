//! On a real systemd, with real units, logind and keyrings.
//!
//! - `journal`: what is found there, and that a stopped one holds nothing up
//! - `stores`: where the sandboxed daemon keeps secrets, and where it refuses to
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod journal;
mod stores;
