//! The events of a connection that has subscribed.

use std::time::{Duration, Instant};

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use super::{Client, ClientError, is_timeout};
use crate::{
    endpoint::ClientStream,
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
    /// What they come by.
    pub(crate) fn stream(&self) -> &ClientStream {
        &self.0.stream
    }

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
            if !client.stream.comes_within(left) {
                return Ok(None);
            }
            match client.stream.take(client.lines.space()) {
                Ok(0) => return Err(client.disconnected()),
                Ok(n) => client.lines.advance(n),
                Err(error) if is_timeout(&error) => {}
                Err(_) => return Err(client.disconnected()),
            }
        }
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
