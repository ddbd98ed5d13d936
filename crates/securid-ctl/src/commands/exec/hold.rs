//! Holding a session: it counts as in use until the connection closes.

use std::{
    path::PathBuf,
    thread::{self, sleep},
    time::Duration,
};

use securid_ipc::{
    client::{Client, ClientError},
    messages::{Call, ErrorCode, OneSession, SessionRef},
};

use crate::daemon::ANSWER_WITHIN;

/// How long to wait before a daemon that has gone is looked for again: a restart takes less than a
/// second, and its idle timeout is a matter of minutes.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// The pauses double up to this: a daemon that is stopped for long costs next to nothing. A tied session waits
/// 15 s for its holder, which is found in one pause and the four seconds that an answer may take.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Holds a session on this connection.
pub(super) fn hold(
    mut client: Client,
    session: Option<String>,
) -> Result<(SessionRef, Client), ClientError> {
    let held = client.call(&Call::Hold(OneSession { session }), ANSWER_WITHIN)?;
    Ok((held, client))
}

/// Keeps holding it in the background until this process ends: whenever the daemon goes, its
/// successor is asked again. Ends once the session itself has ended.
pub(super) fn keep(mut client: Client, sockets: Vec<PathBuf>, session: String) {
    thread::spawn(move || {
        loop {
            client.wait_closed(None);
            // On Windows a dead daemon's name is not free before its last client has let go.
            drop(client);
            client = match again(&sockets, &session) {
                Some(client) => client,
                None => return,
            };
        }
    });
}

/// Holds it with the next daemon, however long that takes; nothing if the session has ended.
fn again(sockets: &[PathBuf], session: &str) -> Option<Client> {
    let mut pause = FIRST_PAUSE;
    loop {
        sleep(pause);
        pause = (pause * 2).min(LONGEST_PAUSE);
        let Ok(client) = Client::connect(sockets) else { continue };
        match hold(client, Some(session.to_owned())) {
            Ok((_, client)) => return Some(client),
            Err(ClientError::Rpc(error)) if is_final(error.code) => return None,
            Err(_) => {}
        }
    }
}

/// Whether no later daemon will say anything else.
fn is_final(code: ErrorCode) -> bool {
    matches!(code, ErrorCode::NoSuchSession | ErrorCode::UnderRevocation)
}
