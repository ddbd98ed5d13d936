//! Whose a file is, and what others may do with it, as the system says.
//!
//! The interface is [`Standing`], [`Owner`], [`Access`] and [`us`], which each system has in a file of its own.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

pub(crate) use system::whom;
pub use system::{Access, Owner, Standing, us};
#[cfg(windows)]
pub(crate) use windows::IDENTIFICATION;
#[cfg(all(test, windows))]
pub(crate) use windows::tests::open_to_everybody;

/// Whose the folders and links on the way to a file may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    RootsOrOurs,
    Roots,
}

impl Whose {
    pub(crate) fn includes(self, standing: &Standing) -> bool {
        match self {
            Self::RootsOrOurs => standing.is_trusted(),
            Self::Roots => standing.is_roots(),
        }
    }
}
