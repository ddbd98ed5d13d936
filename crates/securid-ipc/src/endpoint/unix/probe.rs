//! A way to ask the own server, as its clients do.

use std::{io, path::Path};

use tokio::net::UnixStream;

/// Connects to the socket at `path`, whosever it is.
///
/// # Errors
/// The system's.
pub(crate) async fn open(path: &Path) -> io::Result<UnixStream> {
    UnixStream::connect(path).await
}
