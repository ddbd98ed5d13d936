//! The events of a connection that has subscribed.

use std::{
    io::Read as _,
    os::fd::{AsFd, BorrowedFd},
    time::{Duration, Instant},
};

use interprocess::local_socket::Stream;
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use super::{Client, ClientError, is_timeout};
use crate::{
    envelope::EVENT,
    messages::{Call, SubscribedView},
};

/// A connection that is told of every change, until one side closes it.
#[derive(Debug)]
pub struct Events(Client);

impl Client {
    /// Subscribes, within so long as [`Client::call`]; from then on the connection has events, and nothing else.
    ///
    /// # Errors
    /// As of [`Client::call`].
    pub fn subscribe(mut self, within: Duration) -> Result<Events, ClientError> {
        let SubscribedView {} = self.call(&Call::Subscribe, within)?;
        Ok(Events(self))
    }
}

impl Events {
    /// The next event as an [`Event`](crate::messages::Event), or as the JSON that came; none if there is none within
    /// that time. With no time at all: one that is there already.
    ///
    /// # Errors
    /// [`ClientError::Rpc`] with why the daemon has closed the connection, if it says so;
    /// [`ClientError::Disconnected`]; [`ClientError::Garbled`] if what comes is no event. After any of them there is
    /// nothing more to come.
    pub fn next<T: DeserializeOwned>(
        &mut self,
        within: Duration,
    ) -> Result<Option<T>, ClientError> {
        let client = &mut self.0;
        let until = Instant::now() + within;
        loop {
            match client.lines.take_line(Told::parse) {
                Ok(Some(Told::Event(event))) => {
                    let event = serde_json::from_str(event.get()).map_err(|_| client.garbled())?;
                    return Ok(Some(event));
                }
                Ok(Some(Told::Error(error))) => return Err(error),
                Ok(Some(Told::Nonsense)) | Err(_) => return Err(client.garbled()),
                Ok(None) => {}
            }
            let left = until.saturating_duration_since(Instant::now());
            if !comes_within(&client.stream, left) {
                return Ok(None);
            }
            match (&client.stream).read(client.lines.space()) {
                Ok(0) => return Err(client.disconnected()),
                Ok(n) => client.lines.advance(n),
                Err(error) if is_timeout(&error) => {}
                Err(_) => return Err(client.disconnected()),
            }
        }
    }
}

/// For whoever waits for something else besides: readable when the daemon has said something, or has gone. Before the
/// wait [`Events::next`] has to have had none, for some may be read already.
impl AsFd for Events {
    fn as_fd(&self) -> BorrowedFd<'_> {
        let Stream::UdSocket(socket) = &self.0.stream;
        socket.inner().as_fd()
    }
}

/// A line that was not asked for.
enum Told {
    Event(Box<RawValue>),
    /// Why the connection is closed.
    Error(ClientError),
    Nonsense,
}

impl Told {
    fn parse(line: &[u8]) -> Self {
        #[derive(Deserialize)]
        struct Members {
            method: Option<String>,
            params: Option<Box<RawValue>>,
            error: Option<crate::messages::RpcError>,
        }
        match serde_json::from_slice(line) {
            Ok(Members { method: Some(method), params: Some(params), .. }) if method == EVENT => {
                Self::Event(params)
            }
            Ok(Members { error: Some(error), .. }) => Self::Error(ClientError::Rpc(error)),
            _ => Self::Nonsense,
        }
    }
}

/// Whether there is something to read within that time; a signal ends the wait.
fn comes_within(stream: &Stream, within: Duration) -> bool {
    let Stream::UdSocket(socket) = stream;
    let mut look = [PollFd::new(socket.inner(), PollFlags::IN)];
    // A wait that is too long to be told to the kernel has no end.
    let within = Timespec::try_from(within).ok();
    !matches!(poll(&mut look, within.as_ref()), Ok(0) | Err(Errno::INTR))
}
