//! Talking to the daemon, each wait with a limit.

use std::{
    fs,
    io::ErrorKind,
    path::Path,
    sync::mpsc::{RecvTimeoutError, channel},
    thread,
    time::Duration,
};

use securid_ipc::{
    client::{Client, ClientError, ConnectError},
    messages::Call,
};
use serde::de::DeserializeOwned;

use crate::{Context, failure::Failure, process, screen::complain};

/// For what the daemon answers from its memory, its disk or its keyring, which itself has 5 s.
pub(crate) const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// For a person's own `login` or `add`: an unlock prompt may stand for 60 s, then come the remote
/// server (10 s unless configured) and the keyring (5 s, twice).
pub(crate) const PERSON_WITHIN: Duration = Duration::from_secs(90);

/// After this long a person is told what is waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// One call on a connection of its own.
pub(crate) fn ask<T: DeserializeOwned>(
    context: &Context,
    call: &Call,
    within: Duration,
) -> Result<T, Failure> {
    let mut client = Client::connect(&context.paths.sockets)?;
    Ok(client.call(call, within)?)
}

/// Whether no daemon of ours is there. One whose folder we may not enter is somebody else's: so it
/// is when root's environment comes along with `runuser`.
pub(crate) fn is_nobody(error: &ConnectError) -> bool {
    match error {
        ConnectError::NoDaemon { .. } => true,
        ConnectError::Failed { source, .. } => source.kind() == ErrorKind::PermissionDenied,
        _ => false,
    }
}

/// One call that may wait for a person or a server; says so when it takes long.
pub(crate) fn ask_patiently<T: DeserializeOwned>(
    context: &Context,
    client: &mut Client,
    call: &Call,
) -> Result<T, ClientError> {
    let (done, waiting) = channel::<()>();
    let quiet = context.screen.json;
    thread::scope(|scope| {
        scope.spawn(move || {
            // The other end is dropped when the answer is there.
            if waiting.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) && !quiet {
                complain("waiting for the keyring to be unlocked or the server to answer…");
            }
        });
        let answer = client.call(call, PERSON_WITHIN);
        drop(done);
        answer
    })
}

/// The selector of a command about one session: what was said, else `SECURID_SESSION`, else what
/// the daemon takes for the default.
pub(crate) fn selector(said: Option<String>) -> Option<String> {
    said.or_else(|| std::env::var("SECURID_SESSION").ok().filter(|value| !value.is_empty()))
}

/// The process that has the lock of a state folder, if it is one of ours.
pub(crate) fn holder(state_dir: &Path) -> Option<u32> {
    let pid = fs::read_to_string(state_dir.join("lock")).ok()?.trim().parse().ok()?;
    process::is_a_daemon(pid).then_some(pid)
}
