//! The client against daemons that answer, do not answer, or are not what they seem.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod answers;
mod daemon;
mod fake;

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;
