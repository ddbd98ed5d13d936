//! A connection to the server itself, and whether anything lies on it that nobody has asked for.

use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::meeting::Shown;
use crate::sockets;

/// With or without TLS.
pub(crate) trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {
    /// What carries it.
    fn tcp(&self) -> &TcpStream;
}

impl Duplex for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }
}

impl Duplex for TlsStream<TcpStream> {
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0
    }
}

/// A connection. When it is dropped it takes its leave, as TLS wants it, if that can be done at once.
pub(crate) struct Stream {
    duplex: Box<dyn Duplex>,
    shown: Shown,
}

/// What a look at a connection found.
pub(crate) enum Found {
    /// Nothing: whatever comes from now on comes after the look.
    Quiet,
    /// Words that nobody has asked for.
    Spoke,
    /// Its end, or nothing certain.
    Gone(io::Error),
}

impl Stream {
    pub(crate) fn new(duplex: impl Duplex + 'static, shown: Shown) -> Self {
        Self { duplex: Box::new(duplex), shown }
    }

    /// How we have shown ourselves to the server.
    pub(crate) fn shown(&self) -> Shown {
        self.shown
    }

    /// How long what is sent may go without a sign that it has arrived, from now on.
    pub(crate) fn may_take(&self, within: Duration) {
        sockets::may_take(self.duplex.tcp(), within);
    }

    /// The number under which the system knows it.
    pub(crate) fn descriptor(&self) -> u64 {
        sockets::descriptor(self.duplex.tcp())
    }

    pub(crate) fn io(&mut self) -> Pin<&mut dyn Duplex> {
        Pin::new(&mut *self.duplex)
    }

    /// Looks for what has come. Tokio may not have heard of it yet, so the system itself is asked.
    ///
    /// On a new connection TLS has some things to say of its own: those are waited for. On a `used`
    /// one they have been said before the first answer, and the look never waits.
    pub(crate) fn poll_look(&mut self, used: bool, cx: &mut Context<'_>) -> Poll<Found> {
        let silent = self.is_silent();
        let mut byte = [0];
        let mut byte = ReadBuf::new(&mut byte);
        Poll::Ready(match self.io().poll_read(cx, &mut byte) {
            Poll::Ready(Ok(())) if !byte.filled().is_empty() => Found::Spoke,
            Poll::Ready(Ok(())) => Found::Gone(io::ErrorKind::UnexpectedEof.into()),
            Poll::Ready(Err(error)) => Found::Gone(error),
            Poll::Pending if silent => Found::Quiet,
            Poll::Pending if used => Found::Gone(io::ErrorKind::InvalidData.into()),
            // The look has read what TLS had to say.
            Poll::Pending if self.is_silent() => Found::Quiet,
            // Tokio hears of it next, and then wakes us.
            Poll::Pending => return Poll::Pending,
        })
    }

    /// Whether the system has nothing to read, neither bytes nor the end.
    fn is_silent(&self) -> bool {
        let peeked = SockRef::from(self.duplex.tcp()).peek(&mut [MaybeUninit::uninit()]);
        peeked.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let _ = self.io().poll_shutdown(&mut Context::from_waker(std::task::Waker::noop()));
    }
}
