//! What the system tells the process.
//!
//! - `unix`: SIGTERM, SIGINT and SIGHUP
//! - `windows`: the events of the console

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(crate) use unix::Signals;
#[cfg(windows)]
pub(crate) use windows::{LEFT, Signals};
