//! What the systems do not have in common about connections: [`descriptor`], [`most_descriptors`], [`may_take`].

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(all(test, target_os = "linux"))]
pub(crate) use linux::UNREACHABLE;
#[cfg(target_os = "linux")]
pub(crate) use linux::may_take;
#[cfg(all(test, target_os = "macos"))]
pub(crate) use macos::UNREACHABLE;
#[cfg(target_os = "macos")]
pub(crate) use macos::may_take;
#[cfg(all(test, unix))]
pub(crate) use unix::raise_the_limit;
#[cfg(unix)]
pub(crate) use unix::{descriptor, most_descriptors};
#[cfg(all(test, windows))]
pub(crate) use windows::{UNREACHABLE, raise_the_limit};
#[cfg(windows)]
pub(crate) use windows::{descriptor, may_take, most_descriptors};
