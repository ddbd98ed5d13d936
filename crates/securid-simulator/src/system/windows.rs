//! The same on Windows.

use std::fs::File;
use std::io;
use std::path::Path;

use tokio::signal::windows::{ctrl_break, ctrl_c};

use super::EndSignal;

/// Ctrl-C, and Ctrl-Break, which is the one that a program can send to another's group. In force when this
/// returns.
pub(crate) fn end_signal() -> io::Result<EndSignal> {
    let mut interrupt = ctrl_c()?;
    let mut terminate = ctrl_break()?;
    Ok(Box::pin(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        Ok(())
    }))
}

/// A new file. Who may read it follows from its folder: below a user's profile that is nobody else.
pub(crate) fn create_private(path: &Path) -> io::Result<File> {
    File::create_new(path)
}
