//! What wakes whoever watches: the daemon, keys, signals, a reader that goes.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

pub(super) use system::{Inputs, wait_for_more};

/// What was done about signals, a new size of the terminal and the like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Met {
    Nothing,
    /// The page is to be drawn.
    Something,
    /// Ctrl-C, about which nothing was done.
    Interrupt,
}
