//! Finding the daemon.

use std::{path::PathBuf, time::Instant};

use super::ConnectError;
use crate::endpoint::{self, ClientStream};

/// Connects to the first candidate behind which a daemon of ours listens.
pub(super) fn connect(
    candidates: &[PathBuf],
    until: Instant,
) -> Result<(ClientStream, PathBuf), ConnectError> {
    let mut worst = None;
    for path in candidates {
        match endpoint::connect(path, until) {
            Ok(stream) => return Ok((stream, path.clone())),
            // A daemon is there, and stopped: another would be a second one.
            Err(error @ ConnectError::Unresponsive { .. }) => return Err(error),
            Err(ConnectError::NoDaemon { .. }) => {}
            Err(error) => worst = worst.or(Some(error)),
        }
    }
    Err(worst.unwrap_or_else(|| ConnectError::NoDaemon { tried: candidates.to_vec() }))
}
