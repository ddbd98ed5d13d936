//! Whether a server answers, found out as a client finds it out.

use std::{io, path::Path, time::Duration};

use securid_text::span;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::timeout,
};

use crate::{
    endpoint, envelope,
    framing::{LineBuffer, REPLY_LIMIT},
    messages::{Call, List},
};

/// One round trip to the server at `path`, through all that a client's call goes through: connects, asks
/// for one session of the list, which counts as no use, and reads the answer. Whose server it is is
/// not looked at: where systemd has bound the socket, or within namespaces, it may look like root's.
///
/// # Errors
/// Why there was no answer within that time.
pub async fn probe(path: &Path, within: Duration) -> io::Result<()> {
    timeout(within, round_trip(path)).await.unwrap_or_else(|_| {
        Err(io::Error::new(io::ErrorKind::TimedOut, format!("no answer within {}", span(within))))
    })
}

async fn round_trip(path: &Path) -> io::Result<()> {
    let call = Call::List(List { limit: Some(1), cursor: None });
    let request = envelope::greet_and_call(1, 2, &call).map_err(io::Error::other)?;
    let mut stream = endpoint::open(path).await?;
    stream.write_all(request.filled()).await?;
    let mut lines = LineBuffer::new(REPLY_LIMIT);
    // One to the greeting and one to the call, in whatever order.
    for _answer in 0..2 {
        while lines.take_line(|_| ()).map_err(io::Error::other)?.is_none() {
            match stream.read(lines.space()).await? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                n => lines.advance(n),
            }
        }
    }
    Ok(())
}
