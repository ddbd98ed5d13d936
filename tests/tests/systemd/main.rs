//! On a real systemd, with real units, logind and keyrings.
//!
//! - `stores`: where the sandboxed daemon keeps secrets, and where it refuses to
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod stores;
