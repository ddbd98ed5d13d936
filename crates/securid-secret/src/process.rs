//! Keeping others out of the memory of this process.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(windows)]
mod windows;

#[cfg(target_os = "linux")]
pub use linux::shut_others_out;
#[cfg(target_os = "macos")]
pub use macos::shut_others_out;
#[cfg(windows)]
pub use windows::shut_others_out;
