//! What is ours alone, and what stands in for a file, as each system has it.

#![allow(clippy::unwrap_used, clippy::expect_used)]
// Not each test file needs all of it.
#![allow(dead_code)]

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(crate) use unix::*;
#[cfg(windows)]
pub(crate) use windows::*;
