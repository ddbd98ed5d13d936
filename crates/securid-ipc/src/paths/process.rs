//! What this process's environment and user are for its system.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
use linux as system;

#[cfg(target_os = "macos")]
mod macos;
#[cfg(target_os = "macos")]
use macos as system;

#[cfg(windows)]
mod windows;
#[cfg(windows)]
use windows as system;

#[cfg(unix)]
pub use system::SOCKET_PATH_LIMIT;
pub(super) use system::custom;
pub use system::is_of_a_system_unit;
