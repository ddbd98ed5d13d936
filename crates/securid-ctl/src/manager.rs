//! What of the system runs the daemon, where something does: it brings it up at each login, or with the first call.
//!
//! Each system says what it is in a file of its own: [`Manager`], and what to do about a daemon that it runs.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(windows)]
mod windows;

#[cfg(target_os = "linux")]
use linux as system;
#[cfg(target_os = "macos")]
use macos as system;
#[cfg(windows)]
use windows as system;

#[cfg(target_os = "linux")]
pub(crate) use linux::systemd;
#[cfg(target_os = "macos")]
pub(crate) use macos::{Agent, launchctl};
pub(crate) use system::{Manager, START, START_AT_LENGTH, STUCK, TOO_OLD, how_to_close};
