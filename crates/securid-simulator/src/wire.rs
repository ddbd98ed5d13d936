//! The TCP stream under a connection, and the string by which the connection is torn off.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::Notify;

/// What a request's handler can do to the connection that it came by.
#[derive(Default)]
pub(crate) struct Line {
    reset: AtomicBool,
    severed: Notify,
    control: AtomicBool,
}

impl Line {
    /// Has the connection reset, not closed: its peer is to see an error rather than an end.
    pub(crate) fn sever(&self) {
        self.reset.store(true, Ordering::Relaxed);
        self.severed.notify_one();
    }

    pub(crate) async fn severed(&self) {
        self.severed.notified().await;
    }

    /// Marks a connection of the control interface, which no fault touches.
    pub(crate) fn mark_control(&self) {
        self.control.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_control(&self) -> bool {
        self.control.load(Ordering::Relaxed)
    }
}

/// A stream that is reset when it is dropped, if its line was severed.
pub(crate) struct Wire {
    stream: TcpStream,
    line: Arc<Line>,
}

impl Wire {
    pub(crate) fn new(stream: TcpStream, line: Arc<Line>) -> Self {
        Self { stream, line }
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        if self.line.reset.load(Ordering::Relaxed) {
            // Only fails for a socket that is gone already.
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
