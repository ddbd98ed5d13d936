//! A way to ask the own server, as its clients do.

use std::{io, path::Path, time::Duration};

use securid_windows::pipes::place::is_busy;
use tokio::{
    net::windows::named_pipe::{ClientOptions, NamedPipeClient},
    time::sleep,
};

/// How often a pipe is tried again whose next instance is not there yet.
const BUSY: Duration = Duration::from_millis(20);

/// Connects to the pipe at `path`, whosever it is, and waits for its server to have room.
///
/// # Errors
/// The system's.
pub(crate) async fn open(path: &Path) -> io::Result<NamedPipeClient> {
    loop {
        match ClientOptions::new().open(path) {
            Err(error) if is_busy(&error) => sleep(BUSY).await,
            opened => return opened,
        }
    }
}
