//! A connection during one exchange: first the request, then the answer.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::meeting::Shown;
use crate::stream::{Found, Stream};

/// Lets nothing be read before the request is out, and lets the request out only if nothing is
/// there to be read: what came before it is no answer to it.
///
/// The look is taken right before the first byte goes out, with nothing in between that could wait,
/// whatever hyper and tokio do besides.
pub(crate) struct Asking {
    stream: Stream,
    used: bool,
    spoken_to: bool,
    begun: bool,
    asked: bool,
}

impl Asking {
    /// On a connection that has just been made, or one that has been `used` before.
    pub(crate) fn new(stream: Stream, used: bool) -> Self {
        Self { stream, used, spoken_to: false, begun: false, asked: false }
    }

    /// Whether any part of the request may have gone out.
    pub(crate) fn has_begun(&self) -> bool {
        self.begun
    }

    /// Whether there were words on it before it was asked.
    pub(crate) fn was_spoken_to(&self) -> bool {
        self.spoken_to
    }

    /// How we have shown ourselves to the server.
    pub(crate) fn shown(&self) -> Shown {
        self.stream.shown()
    }

    pub(crate) fn into_stream(self) -> Stream {
        self.stream
    }
}

impl AsyncRead for Asking {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.asked {
            // Woken when it is.
            return Poll::Pending;
        }
        self.stream.io().poll_read(cx, buf)
    }
}

impl AsyncWrite for Asking {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if !self.begun {
            let used = self.used;
            match ready!(self.stream.poll_look(used, cx)) {
                Found::Quiet => {}
                Found::Spoke => {
                    self.spoken_to = true;
                    return Poll::Ready(Err(io::ErrorKind::InvalidData.into()));
                }
                Found::Gone(error) => return Poll::Ready(Err(error)),
            }
        }
        let written = ready!(self.stream.io().poll_write(cx, bytes));
        self.begun = true;
        Poll::Ready(written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.stream.io().poll_flush(cx))?;
        if self.begun && !self.asked {
            self.asked = true;
            cx.waker().wake_by_ref();
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.io().poll_shutdown(cx)
    }
}
