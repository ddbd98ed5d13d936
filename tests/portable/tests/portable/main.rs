//! The main job, a theme a file; what each shows stands in the crate's `lib.rs`.
#![allow(clippy::unwrap_used, clippy::expect_used)]

// What is Windows' own. Elsewhere other tests show the like, or nothing can.
#[cfg(windows)]
mod at_log_on;
#[cfg(windows)]
mod console;
#[cfg(windows)]
mod desktop;

mod crash;
mod crowd;
mod draining;
mod limits;
mod main_job;
mod places;
mod refusals;
mod stopping;
