//! `session.call`: a command of the web service, sent with a session's token that stays here.
//!
//! The client sends the body and asks for the answer piece by piece, and each call is a task of its own that waits
//! for whoever is slower: of neither is more in memory than a few pieces.
//!
//! - `call`: the task;
//! - `way`: a connection to the session's server;
//! - `troubles`: what goes wrong with a call, in the protocol's words.

mod call;
mod troubles;
mod way;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use securid_api::{Command, Part};
use securid_ipc::messages::{Begin, Chunk, GoOn, Relay, RelayView, RpcError};
use securid_ipc::server::ConnectionId;
use tokio::sync::{Mutex as TurnByTurn, mpsc, oneshot};
use tokio::task::AbortHandle;

use crate::keeper::{Lent, Message};
use crate::service::Desk;
use crate::trouble;
use call::Piece;

/// How many calls one connection may have at once. A program makes one after the other, or a few side by side.
const MOST_CALLS: usize = 4;

/// How many there may be at once in all. Each takes a descriptor and some hundred KiB, which revocations must never
/// lack.
const MOST_IN_ALL: usize = 64;

/// The calls of all connections.
#[derive(Clone, Default)]
pub(crate) struct Relays(Arc<Mutex<Board>>);

#[derive(Default)]
struct Board {
    of: HashMap<ConnectionId, Calls>,
    /// The number of the last one that was begun.
    newest: u64,
    /// The daemon goes, and none is begun any more.
    closed: bool,
}

/// Those of one connection.
#[derive(Default)]
struct Calls {
    /// Nobody is there any more for whom one could be begun.
    gone: bool,
    open: HashMap<u64, Arc<Open>>,
}

/// A call, as its client sees it.
struct Open {
    session: String,
    number: u64,
    /// Its client sends one thing after the other.
    ends: TurnByTurn<Ends>,
    task: AbortHandle,
}

/// The client's ends of a call.
struct Ends {
    parts: mpsc::Sender<Part>,
    pieces: mpsc::Receiver<Piece>,
    /// Why there are no more pieces, if that was not the end of the answer.
    why: oneshot::Receiver<RpcError>,
    /// How many bytes of the body are still to come, where its length was said.
    left: Option<u64>,
    whole: bool,
}

impl Relays {
    /// Begins a call or goes on with it.
    pub(crate) async fn relay(
        &self,
        desk: &Desk,
        connection: ConnectionId,
        relay: Relay,
    ) -> Result<RelayView, RpcError> {
        let (open, body, more) = match relay {
            Relay::Begin(mut begin) => {
                let (body, more) = (begin.body.take().unwrap_or_default(), begin.more);
                (self.begin(desk, connection, begin, body.0.len()).await?, Some(body), more)
            }
            Relay::GoOn(GoOn { call, body, more }) => (self.open(connection, call)?, body, more),
        };
        let Ok(mut ends) = open.ends.try_lock() else {
            return Err(troubles::one_after_the_other(open.number));
        };
        let gone_on = match ends.give(body, more).await {
            Ok(true) => Ok(open.taken()),
            Ok(false) => ends.next().await.map(|piece| open.answered(piece)),
            Err(error) => Err(error),
        };
        drop(ends);
        let is_over = gone_on.as_ref().map_or(true, |view| view.more == Some(false));
        if is_over {
            self.end(open.number);
        }
        gone_on
    }

    /// Whether this connection has one that has not ended.
    pub(crate) fn under_way(&self, connection: ConnectionId) -> bool {
        self.board().of.get(&connection).is_some_and(|calls| calls.under_way() > 0)
    }

    /// Nobody reads the answers of this connection any more.
    pub(crate) fn gone(&self, connection: ConnectionId) {
        let mut board = self.board();
        let calls = board.of.entry(connection).or_default();
        calls.gone = true;
        calls.open.drain().for_each(|(_, open)| open.task.abort());
    }

    /// Nothing of this connection runs any more.
    pub(crate) fn closed(&self, connection: ConnectionId) {
        self.board().of.remove(&connection);
    }

    /// The daemon goes.
    pub(crate) fn close(&self) {
        let mut board = self.board();
        board.closed = true;
        let open = board.of.values_mut().flat_map(|calls| calls.open.drain());
        open.for_each(|(_, open)| open.task.abort());
    }

    /// Ends a call whose client was not told how it stands: he would go on with a gap.
    pub(crate) fn end(&self, number: u64) {
        let mut board = self.board();
        let open = board.of.values_mut().find_map(|calls| calls.open.remove(&number));
        if let Some(open) = open {
            open.task.abort();
        }
    }

    async fn begin(
        &self,
        desk: &Desk,
        connection: ConnectionId,
        begin: Begin,
        first: usize,
    ) -> Result<Arc<Open>, RpcError> {
        let Begin {
            session, command, arguments, format, content_type, timeout, length, more, ..
        } = begin;
        let command = Command::new(&command, &arguments, format, content_type.as_deref())
            .map_err(|bad| troubles::command(&bad))?;
        // A body that is all here has a length, whether or not that was said.
        let length = length.or((!more).then_some(first as u64));
        let (reply, answer) = oneshot::channel();
        let _ = desk.inbox().send(Message::LendToCall { session, reply });
        let lent = answer.await.unwrap_or_else(|_| Err(trouble::stopping()))?;
        self.start(desk, connection, lent, call::Wanted { command, length, timeout })
    }

    fn start(
        &self,
        desk: &Desk,
        connection: ConnectionId,
        lent: Lent,
        wanted: call::Wanted,
    ) -> Result<Arc<Open>, RpcError> {
        let mut board = self.board();
        let number = board.newest + 1;
        let closed = board.closed;
        let in_all: usize = board.of.values().map(Calls::under_way).sum();
        let calls = board.of.entry(connection).or_default();
        if closed || calls.gone {
            return Err(trouble::stopping());
        }
        if calls.open.len() >= MOST_CALLS {
            return Err(troubles::too_many("this connection", MOST_CALLS));
        }
        if in_all >= MOST_IN_ALL {
            return Err(troubles::too_many("the daemon", MOST_IN_ALL));
        }
        let (session, left) = (lent.in_use.key.id.to_string(), wanted.length);
        let (parts, from_client) = mpsc::channel(1);
        let (to_client, pieces) = mpsc::channel(1);
        let (tell, why) = oneshot::channel();
        let carried_out = call::carry_out(desk.clone(), lent, wanted, from_client, to_client);
        let task = tokio::spawn(async move {
            if let Err(error) = carried_out.await {
                let _ = tell.send(error);
            }
        });
        let ends = TurnByTurn::new(Ends { parts, pieces, why, left, whole: false });
        let open = Arc::new(Open { session, number, ends, task: task.abort_handle() });
        calls.open.insert(number, Arc::clone(&open));
        board.newest = number;
        Ok(open)
    }

    fn open(&self, connection: ConnectionId, number: u64) -> Result<Arc<Open>, RpcError> {
        let board = self.board();
        let open = board.of.get(&connection).and_then(|calls| calls.open.get(&number));
        open.cloned().ok_or_else(|| troubles::no_such_call(number))
    }

    fn board(&self) -> MutexGuard<'_, Board> {
        // A panic while it was held ends the daemon.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Calls {
    /// How many have not ended, whether or not their client has been told.
    fn under_way(&self) -> usize {
        self.open.values().filter(|open| !open.task.is_finished()).count()
    }
}

impl Open {
    fn taken(&self) -> RelayView {
        RelayView {
            session: self.session.clone(),
            call: self.number,
            status: None,
            content_type: None,
            body: None,
            more: None,
        }
    }

    fn answered(&self, piece: Piece) -> RelayView {
        RelayView {
            status: Some(piece.status),
            content_type: piece.content_type,
            body: Some(Chunk(piece.bytes.into())),
            more: Some(piece.more),
            ..self.taken()
        }
    }
}

impl Ends {
    /// Gives the next chunk of the body on; whether another one follows.
    async fn give(&mut self, body: Option<Chunk>, more: bool) -> Result<bool, RpcError> {
        if self.whole {
            return match (body, more) {
                (None, false) => Ok(false),
                _ => Err(troubles::whole_already()),
            };
        }
        let Chunk(bytes) = body.unwrap_or_default();
        if let Some(left) = &mut self.left {
            *left = left.checked_sub(bytes.len() as u64).ok_or_else(troubles::longer)?;
            if !more && *left > 0 {
                return Err(troubles::shorter(*left));
            }
        }
        if !bytes.is_empty() {
            self.put(Part::Chunk(bytes.into())).await?;
        }
        if !more {
            self.put(Part::End).await?;
            self.whole = true;
        }
        Ok(more)
    }

    async fn put(&mut self, part: Part) -> Result<(), RpcError> {
        match self.parts.send(part).await {
            Ok(()) => Ok(()),
            Err(_) => Err(self.why().await),
        }
    }

    async fn next(&mut self) -> Result<Piece, RpcError> {
        match self.pieces.recv().await {
            Some(piece) => Ok(piece),
            None => Err(self.why().await),
        }
    }

    async fn why(&mut self) -> RpcError {
        (&mut self.why).await.unwrap_or_else(|_| trouble::stopping())
    }
}
