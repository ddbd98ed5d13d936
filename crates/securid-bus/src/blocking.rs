//! A connection for a thread that can be spared: its calls have a deadline, the way to the bus has none.

use std::time::{Duration, Instant};

use dbus::Message;

use crate::address::Bus;
use crate::call_of_bus;
use crate::error::Error;
use crate::line::Line;

/// A connection to a bus. Dropped, it is closed.
pub struct Connection {
    line: Line,
    limit: Duration,
}

impl Connection {
    /// Connects, and says hello. Each call may then take as long as `limit`.
    ///
    /// # Errors
    /// If there is no such bus, or it refuses or does not answer in time. One that takes nobody at all
    /// is waited for.
    pub fn open(bus: Bus, limit: Duration) -> Result<Self, Error> {
        let mut connection = Self { line: Line::open(bus)?, limit };
        connection.call(call_of_bus("Hello"))?;
        Ok(connection)
    }

    /// Asks, and waits for the reply.
    ///
    /// # Errors
    /// What was replied instead, or why there was no reply.
    pub fn call(&mut self, message: Message) -> Result<Message, Error> {
        let call = self.line.send(message)?;
        let until = Instant::now() + self.limit;
        loop {
            if let Some(reply) = self.line.reply_to(call)? {
                return Ok(reply);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Error::Silent(self.limit));
            }
            if let Err(ended) = self.line.advance(Some(left)) {
                return self.line.reply_to(call)?.ok_or(ended);
            }
        }
    }

    /// Listens to what this rule describes, from now on.
    ///
    /// # Errors
    /// As for [`Connection::call`].
    pub fn listen(&mut self, rule: &str) -> Result<(), Error> {
        self.line.listens = true;
        self.call(call_of_bus("AddMatch").append1(rule)).map(drop)
    }

    /// What is heard next, however long that takes. It may be anybody's word: look who sent it.
    ///
    /// # Errors
    /// If the connection ends before.
    pub fn hear(&mut self) -> Result<Message, Error> {
        loop {
            if let Some(message) = self.line.hear()? {
                return Ok(message);
            }
            self.line.advance(None)?;
        }
    }
}
