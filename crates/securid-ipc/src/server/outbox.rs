//! The answers that wait for a client to read them, one being written at a time; and an event, where none of
//! them waits.

use std::{collections::VecDeque, io, time::Duration};

use tokio::time::Instant;

use super::unread::{Share, Unread};
use crate::{
    endpoint::ServerStream,
    envelope::{self, Id},
    framing::{LineBuffer, TooLong},
    messages::{ErrorCode, Event, HelloView, Reply, RpcError},
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
#[derive(Debug)]
pub(super) struct Outbox {
    lines: VecDeque<Line>,
    /// Whether the first of them must be read in time: an event may wait as long as no answer does.
    urgent: bool,
    /// By when, once it was found that it has to wait.
    until: Option<Instant>,
    unread: Unread,
}

/// An answer as it goes out.
#[derive(Debug)]
struct Line {
    text: LineBuffer,
    /// Given back if the line does not get through.
    reply: Option<Box<Reply>>,
    _share: Share,
}

impl Outbox {
    /// An empty one, for a connection whose answers take their share of this.
    pub(super) fn new(unread: Unread) -> Self {
        Self { lines: VecDeque::new(), urgent: false, until: None, unread }
    }

    /// Queues an answer. A reply that is too long, for a line or for what waits already, becomes an
    /// error, and is given back.
    pub(super) fn push(&mut self, id: &Id, answer: Answer) -> Option<Box<Reply>> {
        let (text, reply) = match answer {
            Answer::Hello(hello) => (written(id, Ok(&hello)), None),
            Answer::Error(error) => (written::<Reply>(id, Err(&error)), None),
            Answer::Reply(reply) => (written(id, Ok(&*reply)), Some(reply)),
        };
        let refused = match text.map_err(|too_long| does_not_fit(&too_long)) {
            Ok(text) => match self.unread.share(text.filled().len()) {
                Ok(share) => {
                    // Half of the memory, if it is not read at once.
                    let reply = reply.filter(|reply| !reply.is_page());
                    self.queue(Line { text, reply, _share: share });
                    return None;
                }
                Err(error) => error,
            },
            Err(error) => error,
        };
        // An error can be too long only by its id, and a request line is shorter than a reply's.
        if let Ok(text) = written::<Reply>(id, Err(&refused)) {
            let _share = self.unread.share_in_any_case(text.filled().len());
            self.queue(Line { text, reply: None, _share });
        }
        reply
    }

    /// Queues an event. Whoever does not read it costs no more than this line, for the next one is made only when
    /// it is gone: so nobody is let go for that.
    ///
    /// # Errors
    /// If it does not fit into a line.
    pub(super) fn push_event(&mut self, event: &Event) -> io::Result<()> {
        let text = envelope::notification(event).map_err(io::Error::other)?;
        let _share = self.unread.share_in_any_case(text.filled().len());
        self.lines.push_back(Line { text, reply: None, _share });
        Ok(())
    }

    fn queue(&mut self, line: Line) {
        self.lines.push_back(line);
        self.urge();
    }

    /// From now on what waits has to be read in time.
    pub(super) fn urge(&mut self) {
        self.urgent |= !self.lines.is_empty();
    }

    /// How many answers and events are not delivered yet.
    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    /// By when the current one must be read, if it was found that the socket does not take it at once.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.until
    }

    /// Writes as much as the socket takes without waiting.
    ///
    /// # Errors
    /// If the client has gone.
    pub(super) fn write(&mut self, socket: &ServerStream) -> io::Result<()> {
        while let Some(current) = self.lines.front_mut() {
            match socket.try_write(current.text.filled()) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => current.text.discard(written),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if self.urgent {
                        self.until.get_or_insert_with(|| Instant::now() + READ_WITHIN);
                    }
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
            if current.text.is_empty() {
                self.lines.pop_front();
                (self.urgent, self.until) = (!self.lines.is_empty(), None);
            }
        }
        Ok(())
    }

    /// The replies that did not get through.
    pub(super) fn into_undelivered(self) -> impl Iterator<Item = Reply> {
        self.lines.into_iter().filter_map(|line| line.reply.map(|reply| *reply))
    }
}

fn does_not_fit(too_long: &TooLong) -> RpcError {
    let message = format!("the reply does not fit: {too_long}");
    RpcError::new(ErrorCode::LimitExceeded, message).with_hint("Ask for less at once.")
}

fn written<T: serde::Serialize>(
    id: &Id,
    outcome: Result<&T, &RpcError>,
) -> Result<LineBuffer, TooLong> {
    envelope::answer(id, outcome)
}
