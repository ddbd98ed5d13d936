//! `--if-last-session`: whether the shell that runs us ends its user's last login with it.
//!
//! The interface is `look`: why that is not so, none where it is; an error where nobody can say.

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

pub(super) use system::look;
