//! Where there is no journal.

use std::io;
use std::time::Duration;

/// There is none.
pub(crate) const IS_HERE: bool = false;

/// Never.
#[derive(Debug)]
pub(crate) enum Journal {}

impl Journal {
    /// # Errors
    /// Always.
    pub(crate) fn open(_: Option<Duration>) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// # Errors
    /// None.
    pub(crate) fn send(&self, _: &[u8]) -> io::Result<()> {
        match *self {}
    }
}
