//! The answers that wait for a client to read them, one being written at a time.

use std::{collections::VecDeque, io, time::Duration};

use interprocess::local_socket::tokio::Stream;
use tokio::{io::AsyncWriteExt as _, time::Instant};

use crate::{
    envelope::{self, Id},
    framing::{LineBuffer, TooLong},
    messages::{ErrorCode, HelloView, Reply, RpcError},
};

/// How long a client may take to read one reply. A stopped client would hold the replies of its
/// calls, tokens among them, in our memory for ever.
const READ_WITHIN: Duration = Duration::from_secs(10);

/// What is said under an id.
#[derive(Debug)]
pub(super) enum Answer {
    Hello(HelloView),
    Reply(Box<Reply>),
    Error(RpcError),
}

/// The answers of one connection.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    waiting: VecDeque<(Id, Answer)>,
    current: Option<Current>,
}

/// An answer on its way.
#[derive(Debug)]
struct Current {
    line: LineBuffer,
    /// Given back if the line does not get through.
    reply: Option<Reply>,
    until: Instant,
}

impl Outbox {
    /// Queues an answer.
    pub(super) fn push(&mut self, id: Id, answer: Answer) {
        self.waiting.push_back((id, answer));
    }

    /// How many answers are not delivered yet.
    pub(super) fn len(&self) -> usize {
        self.waiting.len() + usize::from(self.current.is_some())
    }

    /// By when the current answer must be read.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.current.as_ref().map(|current| current.until)
    }

    /// Makes the next answer the current one, if none is. A reply that is too long for a line
    /// becomes an error, and is given back.
    pub(super) fn start_next(&mut self) -> Option<Reply> {
        if self.current.is_some() {
            return None;
        }
        let (id, answer) = self.waiting.pop_front()?;
        let (line, reply, given_back) = match answer {
            Answer::Hello(hello) => (written(&id, Ok(&hello)), None, None),
            Answer::Error(error) => (written::<Reply>(&id, Err(&error)), None, None),
            Answer::Reply(reply) => match written(&id, Ok(&*reply)) {
                Ok(line) => (Ok(line), Some(*reply), None),
                Err(too_long) => (Err(too_long), None, Some(*reply)),
            },
        };
        let line = line.or_else(|too_long| {
            let message = format!("the reply does not fit: {too_long}");
            written::<Reply>(&id, Err(&RpcError::new(ErrorCode::LimitExceeded, message)))
        });
        // An error can be too long only by its id, and a request line is shorter than a reply's.
        if let Ok(line) = line {
            self.current = Some(Current { line, reply, until: Instant::now() + READ_WITHIN });
        }
        given_back
    }

    /// Writes a part of the current answer. Safe to drop between two polls. Never ends while there
    /// is no current answer.
    ///
    /// # Errors
    /// If the client has gone.
    pub(super) async fn write_some(&mut self, mut stream: &Stream) -> io::Result<()> {
        let Some(current) = &mut self.current else { return std::future::pending().await };
        let written = stream.write(current.line.filled()).await?;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        current.line.discard(written);
        if current.line.is_empty() {
            self.current = None;
        }
        Ok(())
    }

    /// The replies that did not get through.
    pub(super) fn into_undelivered(self) -> impl Iterator<Item = Reply> {
        let waiting = self.waiting.into_iter().filter_map(|(_, answer)| match answer {
            Answer::Reply(reply) => Some(*reply),
            Answer::Hello(_) | Answer::Error(_) => None,
        });
        self.current.and_then(|current| current.reply).into_iter().chain(waiting)
    }
}

fn written<T: serde::Serialize>(
    id: &Id,
    outcome: Result<&T, &RpcError>,
) -> Result<LineBuffer, TooLong> {
    envelope::answer(id, outcome)
}
