//! A blocking client, without a runtime, that never waits without a limit.
//!
//! - `answer`: taking a reply line apart;
//! - `connect`: finding the daemon among the candidate sockets;
//! - `error`: what can go wrong, with the exit statuses of the contract;
//! - `events`: what a connection is told that has subscribed;
//! - `skew`: daemons of other versions than ours.
//!
//! Every call is sent in one piece with a `daemon.hello`: a live daemon answers that within
//! [`LIVE_WITHIN`], whatever its keyring, disk or network do, so a stopped one is told from a busy
//! one.

pub(crate) mod answer;
mod connect;
mod error;
mod events;
mod skew;

use std::{
    fmt, io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use serde::de::DeserializeOwned;

use answer::Answer;
pub use error::{ClientError, ConnectError};
pub use events::Events;

use crate::{
    PROTOCOL,
    endpoint::ClientStream,
    envelope,
    framing::{LineBuffer, REPLY_LIMIT},
    messages::{Call, HelloView},
};

/// Within this time a live daemon answers `daemon.hello`.
pub const LIVE_WITHIN: Duration = Duration::from_secs(2);

/// A connection to a daemon that is ours.
pub struct Client {
    stream: ClientStream,
    path: PathBuf,
    lines: LineBuffer,
    next_id: u64,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Client {
    /// Connects to the first socket of `candidates` behind which a daemon of ours listens, within
    /// [`LIVE_WITHIN`] in all.
    ///
    /// # Errors
    /// [`ConnectError`], which tells "nobody is there" from "not yours" and "does not answer".
    pub fn connect(candidates: &[PathBuf]) -> Result<Self, ConnectError> {
        let (stream, path) = connect::connect(candidates, Instant::now() + LIVE_WITHIN)?;
        Ok(Self { stream, path, lines: LineBuffer::new(REPLY_LIMIT), next_id: 1 })
    }

    /// The socket that it is connected to.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes one call and waits for its result: for a sign of life [`LIVE_WITHIN`] at most, for
    /// the result `within` in all.
    ///
    /// # Errors
    /// [`ClientError`]: the daemon's own error, or why no answer came. After any but
    /// [`ClientError::Rpc`] the client is of no further use.
    pub fn call<T: DeserializeOwned>(
        &mut self,
        call: &Call,
        within: Duration,
    ) -> Result<T, ClientError> {
        let started = Instant::now();
        let (hello_id, call_id) = (self.next_id, self.next_id + 1);
        self.next_id += 2;
        let request =
            envelope::greet_and_call(hello_id, call_id, call).map_err(ClientError::TooLong)?;
        self.send(request.filled())?;

        let (mut greeting, mut outcome) = (None, None);
        loop {
            if let Some(HelloView { version, .. }) = &greeting
                && let Some(outcome) = outcome.take()
            {
                return self
                    .understand(outcome)
                    .map_err(|error| skew::explained(error, version, call));
            }
            let until = started + if greeting.is_some() { within } else { LIVE_WITHIN };
            let answer = self.next_answer(until, greeting.is_some())?;
            match answer.id {
                Some(id) if id == hello_id => {
                    let hello: HelloView = self.understand(answer.outcome)?;
                    if hello.protocol != PROTOCOL {
                        let HelloView { protocol: theirs, version } = hello;
                        return Err(ClientError::WrongProtocol { theirs, version });
                    }
                    greeting = Some(hello);
                }
                Some(id) if id == call_id => outcome = Some(answer.outcome),
                // An answer that nobody waits for any more.
                Some(_) => {}
                // Without an id it is about a line that could not be told apart: ours.
                None => return self.understand(answer.outcome),
            }
        }
    }

    fn understand<T: DeserializeOwned>(&self, outcome: answer::Outcome) -> Result<T, ClientError> {
        let result = outcome.map_err(ClientError::Rpc)?;
        serde_json::from_str(result.expose()).map_err(|_| self.garbled())
    }

    /// Waits until the daemon has gone, for at most `within` if that is said; whatever it still
    /// says is dropped. Returns whether it has gone.
    pub fn wait_closed(&mut self, within: Option<Duration>) -> bool {
        let until = within.map(|within| Instant::now() + within);
        let mut dropped = [0; 256];
        loop {
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return false;
            }
            match self.stream.read(&mut dropped, left) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(error) if is_timeout(&error) => {}
                Err(_) => return true,
            }
        }
    }

    /// Sends it all, or finds that a stopped daemon has let its queue fill up.
    fn send(&mut self, bytes: &[u8]) -> Result<(), ClientError> {
        self.stream.write_all(bytes, LIVE_WITHIN).map_err(|error| match error {
            error if is_timeout(&error) => self.unresponsive(),
            _ => self.last_words(),
        })
    }

    /// Why the daemon has closed the connection, as far as it has said that.
    fn last_words(&mut self) -> ClientError {
        match self.next_answer(Instant::now() + LIVE_WITHIN, true) {
            Ok(Answer { id: None, outcome: Err(error) }) => ClientError::Rpc(error),
            _ => self.disconnected(),
        }
    }

    /// Reads the next answer.
    fn next_answer(&mut self, until: Instant, greeted: bool) -> Result<Answer, ClientError> {
        loop {
            match self.lines.take_line(Answer::parse) {
                Ok(Some(Some(answer))) => return Ok(answer),
                Ok(Some(None)) | Err(_) => return Err(self.garbled()),
                Ok(None) => {}
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(if greeted { self.too_slow() } else { self.unresponsive() });
            }
            match self.stream.read(self.lines.space(), Some(left)) {
                Ok(0) => return Err(self.disconnected()),
                Ok(n) => self.lines.advance(n),
                Err(error) if is_timeout(&error) => {}
                Err(_) => return Err(self.disconnected()),
            }
        }
    }

    fn unresponsive(&self) -> ClientError {
        ClientError::Unresponsive { path: self.path.clone() }
    }

    fn too_slow(&self) -> ClientError {
        ClientError::TooSlow { path: self.path.clone() }
    }

    fn disconnected(&self) -> ClientError {
        ClientError::Disconnected { path: self.path.clone() }
    }

    fn garbled(&self) -> ClientError {
        ClientError::Garbled { path: self.path.clone() }
    }
}

/// Nothing came or went in time, or a signal came first: look at the clock and go on.
pub(crate) fn is_timeout(error: &io::Error) -> bool {
    use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
    matches!(error.kind(), Interrupted | TimedOut | WouldBlock)
}

#[cfg(all(test, unix))]
mod tests;
