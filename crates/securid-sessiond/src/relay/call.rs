//! One call, from the connection to the end of its answer.

use std::future::pending;
use std::time::Duration;

use bytes::Bytes;
use securid_api::{Answering, Asked, Command, Failure, Part, Progress, Reply};
use securid_ipc::messages::{CHUNK, ErrorCode, RpcError};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tracing::info;

use super::{troubles, way};
use crate::keeper::{Lent, Message};
use crate::service::Desk;

/// How long a server may do nothing, unless the client has said how long all of it may take. The longest pauses of a
/// network that works are shorter.
const SERVER_SILENCE: Duration = Duration::from_secs(60);

/// How long a client may do nothing while its call waits for it: a person reads a long answer page by page, and is
/// called away meanwhile. Longer would keep a session in use, and a connection to its server, that somebody has forgotten.
const CLIENT_SILENCE: Duration = Duration::from_secs(10 * 60);

/// What a client wants.
pub(super) struct Wanted {
    pub(super) command: Command,
    /// How long the body is, where that is known.
    pub(super) length: Option<u64>,
    /// How long it may take in all.
    pub(super) timeout: Option<Duration>,
}

/// A piece of the answer.
pub(super) struct Piece {
    pub(super) status: u16,
    pub(super) content_type: Option<String>,
    /// At most [`CHUNK`].
    pub(super) bytes: Bytes,
    /// Whether others follow.
    pub(super) more: bool,
}

/// Carries it out, while the session counts as used.
pub(super) async fn carry_out(
    desk: Desk,
    lent: Lent,
    wanted: Wanted,
    parts: mpsc::Receiver<Part>,
    pieces: mpsc::Sender<Piece>,
) -> Result<(), RpcError> {
    let exchange = exchange(&desk, &lent, &wanted, parts, pieces);
    match wanted.timeout {
        None => exchange.await,
        Some(limit) => {
            timeout(limit, exchange).await.unwrap_or_else(|_| Err(troubles::too_long(limit)))
        }
    }
}

async fn exchange(
    desk: &Desk,
    lent: &Lent,
    wanted: &Wanted,
    mut parts: mpsc::Receiver<Part>,
    pieces: mpsc::Sender<Piece>,
) -> Result<(), RpcError> {
    // Where the time for all of it was said, that alone counts.
    let silence = if wanted.timeout.is_some() { Duration::MAX } else { SERVER_SILENCE };
    let answers = begin(desk, lent, wanted, &mut parts, silence).await;
    if let Some(result) = contact(&answers) {
        let _ = desk.inbox().send(Message::Contact(lent.url.clone(), result));
    }
    let asked = answers?;
    match asked.reply().await.map_err(|failure| troubles::unanswered(&failure))? {
        Reply::Answering(answering) => pass_on(answering, &pieces, silence).await,
        Reply::Refused(refused) => {
            let key = &lent.in_use.key;
            if refused.dead {
                info!(session = %key.id, "the server refuses its token as dead");
                let _ = desk.inbox().send(Message::RefusedByServer(key.clone()));
            }
            Err(troubles::refused(&refused, &lent.instance))
        }
    }
}

/// Sends it all, until the server answers.
async fn begin(
    desk: &Desk,
    lent: &Lent,
    wanted: &Wanted,
    parts: &mut mpsc::Receiver<Part>,
    silence: Duration,
) -> Result<Asked, RpcError> {
    let line = way::line(&desk.errands.servers, &lent.ways, lent.within).await?;
    let asked = line.ask(&lent.token, &wanted.command, wanted.length).await;
    let asked = asked.map_err(|bad| troubles::command(&bad))?;
    let asked = asked.map_err(|failure| troubles::unanswered(&failure))?;
    until_it_answers(asked, parts, silence).await
}

/// What it says of the server, if anything.
fn contact(answers: &Result<Asked, RpcError>) -> Option<Result<(), String>> {
    match answers {
        Ok(_) => Some(Ok(())),
        Err(error) if error.code == ErrorCode::ServerUnreachable => {
            Some(Err(error.message.clone()))
        }
        Err(_) => None,
    }
}

/// Hands the body on until it is whole, or the server refuses it, and waits for the answer.
async fn until_it_answers(
    mut asked: Asked,
    parts: &mut mpsc::Receiver<Part>,
    silence: Duration,
) -> Result<Asked, RpcError> {
    let (mut held, mut whole, mut answers) = (None, false, false);
    while !(whole && held.is_none() && answers) {
        let wants_more = held.is_none() && !whole;
        tokio::select! {
            biased;
            progress = asked.progress(&mut held) => {
                match progress.map_err(|failure| troubles::unanswered(&failure))? {
                    Progress::Took => {}
                    Progress::Answers(200..=299) => answers = true,
                    Progress::Answers(_) => return Ok(asked),
                }
            }
            part = parts.recv(), if wants_more => {
                let Some(part) = part else { return pending().await };
                whole = part == Part::End;
                held = Some(part);
            }
            () = sleep(CLIENT_SILENCE), if wants_more => {
                return Err(troubles::client_is_silent(CLIENT_SILENCE));
            }
            () = sleep(silence), if !wants_more => return Err(troubles::server_is_silent(silence)),
        }
    }
    Ok(asked)
}

/// Passes the answer on as fast as its client asks for it.
async fn pass_on(
    mut answering: Box<Answering>,
    pieces: &mpsc::Sender<Piece>,
    silence: Duration,
) -> Result<(), RpcError> {
    let cut = |failure: Failure| troubles::broken_off(&failure);
    loop {
        let next = timeout(silence, answering.piece()).await;
        let next = next.map_err(|_| troubles::server_is_silent(silence))?.map_err(cut)?;
        let is_last = next.is_none() || answering.is_whole();
        let mut bytes = next.unwrap_or_default();
        loop {
            let rest = bytes.split_off(bytes.len().min(CHUNK));
            let more = !(is_last && rest.is_empty());
            let content_type = answering.content_type().map(str::to_owned);
            let piece = Piece { status: answering.status(), content_type, bytes, more };
            hand_over(piece, pieces).await?;
            if rest.is_empty() {
                break;
            }
            bytes = rest;
        }
        if is_last {
            return Ok(());
        }
    }
}

/// Waits until there is room for it: until its client has asked for the one before.
async fn hand_over(piece: Piece, pieces: &mpsc::Sender<Piece>) -> Result<(), RpcError> {
    let handed_over = timeout(CLIENT_SILENCE, pieces.send(piece)).await;
    // Where nobody takes any more, the call is ended from outside.
    handed_over.map(drop).map_err(|_| troubles::client_is_silent(CLIENT_SILENCE))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn piece() -> Piece {
        Piece { status: 200, content_type: None, bytes: Bytes::new(), more: true }
    }

    #[tokio::test(start_paused = true)]
    async fn who_reads_on_after_nine_minutes_gets_the_rest() {
        let (pieces, mut client) = mpsc::channel(1);
        hand_over(piece(), &pieces).await.unwrap();
        let reading = tokio::spawn(async move {
            sleep(9 * MINUTE).await;
            client.recv().await.unwrap();
            client
        });
        assert!(hand_over(piece(), &pieces).await.is_ok());
        let _client = reading.await.unwrap();

        let told = hand_over(piece(), &pieces).await.unwrap_err();
        assert_eq!(told.code, ErrorCode::LimitExceeded);
        assert!(told.message.ends_with("its client neither sent nor read for 10m"), "{told:?}");
    }
}
