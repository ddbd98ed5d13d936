//! The body of a request that is handed over piece by piece.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::mpsc;

/// A part of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Some bytes of it.
    Chunk(Bytes),
    /// It was whole with what came before.
    End,
}

/// A body as it goes out. One that is given up before [`Part::End`] must not pass for a whole one: its request
/// breaks off.
pub(crate) struct Outgoing {
    parts: mpsc::Receiver<Part>,
    length: Option<u64>,
}

/// A body was given up half-way.
#[derive(Debug, thiserror::Error)]
#[error("the body was given up")]
pub(crate) struct GivenUp;

impl Outgoing {
    /// A body of that length, if that is known; and where to put its parts. There is room for one, so that whoever
    /// has many waits for the server.
    pub(crate) fn new(length: Option<u64>) -> (Self, mpsc::Sender<Part>) {
        let (to_server, parts) = mpsc::channel(1);
        (Self { parts, length }, to_server)
    }

    pub(crate) fn length(&self) -> Option<u64> {
        self.length
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = GivenUp;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, GivenUp>>> {
        Poll::Ready(match ready!(self.parts.poll_recv(cx)) {
            Some(Part::Chunk(bytes)) => Some(Ok(Frame::data(bytes))),
            Some(Part::End) => None,
            None => Some(Err(GivenUp)),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.length == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        self.length.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
