//! What the system lets a process have.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(crate) use unix::{descriptors, no_core_dumps, raise_descriptors};
#[cfg(windows)]
pub(crate) use windows::{descriptors, no_core_dumps, raise_descriptors};
