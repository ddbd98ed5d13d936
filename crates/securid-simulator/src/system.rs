//! What each system does in its own way: how a program is asked to end, and files that are nobody else's.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::io;
use std::pin::Pin;

#[cfg(unix)]
pub(crate) use unix::{create_private, end_signal};
#[cfg(windows)]
pub(crate) use windows::{create_private, end_signal};

/// Ends with the first thing that asks the program to end.
pub(crate) type EndSignal = Pin<Box<dyn Future<Output = io::Result<()>>>>;
