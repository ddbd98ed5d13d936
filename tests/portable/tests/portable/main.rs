//! The main job, a theme a file; what each shows stands in the crate's `lib.rs`.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod crash;
mod crowd;
// Elsewhere it is logind's tests that show this, or nothing can.
#[cfg(windows)]
mod desktop;
mod draining;
mod limits;
mod main_job;
mod places;
mod refusals;
mod stopping;
