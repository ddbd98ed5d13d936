//! Asking the daemon that runs, by the client that other programs use.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use securid_ipc::client::{Client, ClientError, ConnectError};
use securid_ipc::messages::{Call, Logout, LogoutView, StatusView, Targets};
use securid_progress::Progress;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::ending::Ending;

/// How much longer than told it may take: a daemon that is stopped is known as such after the 2 s
/// that a sign of life may take.
const MARGIN: Duration = Duration::from_secs(3);

/// Why the daemon was of no help.
#[derive(Debug)]
pub(super) struct Mute {
    why: String,
    /// Whether it may be another matter in a moment.
    pub(super) passes: bool,
}

impl fmt::Display for Mute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

/// Has the daemon with this process number revoke everything within that time: how far each session
/// came, and of how many without a good record it knows nothing. With `ending` a bar is shown meanwhile.
///
/// # Errors
/// Why nobody knows, after [`MARGIN`] more at most.
pub(super) async fn revoke_all(
    sockets: Vec<PathBuf>,
    pid: Option<u32>,
    within: Duration,
    ending: Option<&Ending>,
) -> Result<(LogoutView, u32), Mute> {
    let ended_by = ending.map(|ending| Arc::clone(&ending.by));
    let asking = spawn_blocking(move || ask(&sockets, pid, within, ended_by));
    match timeout(within + MARGIN, asking).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => Err(Mute { why: error.to_string(), passes: false }),
        Err(_) => Err(Mute { why: "it did not answer in time".to_owned(), passes: false }),
    }
}

fn ask(
    sockets: &[PathBuf],
    pid: Option<u32>,
    within: Duration,
    ended_by: Option<Arc<AtomicUsize>>,
) -> Result<(LogoutView, u32), Mute> {
    let mut client = Client::connect(sockets)?;
    let status: StatusView = client.call(&Call::Status, MARGIN)?;
    if pid != Some(status.pid) {
        // Its sessions are none of those that are meant here.
        let socket = client.path().display();
        let why = format!("the one at {socket} is another daemon (process {})", status.pid);
        return Err(Mute { why, passes: true });
    }
    let logout = Call::Logout(Logout { targets: Targets::All, wait: Some(within) });
    let progress = ended_by.map(|ended_by| {
        let mut client = Client::connect(sockets).ok();
        let left = move || {
            let status: StatusView = client.as_mut()?.call(&Call::Status, MARGIN).ok()?;
            Some(status.sessions.alive().into())
        };
        Progress::begin(0, left, ended_by)
    });
    let view = client.call(&logout, within + MARGIN)?;
    drop(progress);
    // What it had still to look for may have been found, and revoked, meanwhile. One that does not say it is just
    // ending.
    let status: Result<StatusView, _> = client.call(&Call::Status, MARGIN);
    let status = status.map_err(|error| Mute { passes: true, ..error.into() })?;
    Ok((view, status.undecided))
}

impl From<ConnectError> for Mute {
    fn from(error: ConnectError) -> Self {
        let passes = matches!(error, ConnectError::NoDaemon { .. } | ConnectError::Failed { .. });
        Self { why: error.to_string(), passes }
    }
}

impl From<ClientError> for Mute {
    fn from(error: ClientError) -> Self {
        let passes = matches!(error, ClientError::Disconnected { .. });
        Self { why: error.to_string(), passes }
    }
}
