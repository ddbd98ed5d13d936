//! What both kinds of connection do the same way.

use std::collections::VecDeque;
use std::time::Duration;

use dbus::Message;
use dbus::channel::{Channel, Watch};

use crate::address::Bus;
use crate::error::Error;

/// How many signals wait to be heard. A bus tells a handful in the time of a call.
const HEARD_AT_MOST: usize = 1000;

/// A connection to a bus, and what was heard on it.
pub(crate) struct Line {
    channel: Channel,
    /// Whether what comes unasked is kept.
    pub(crate) listens: bool,
    heard: VecDeque<Message>,
}

impl Line {
    /// Connects, which blocks while the bus takes nobody. The bus has not answered yet.
    pub(crate) fn open(bus: Bus) -> Result<Self, Error> {
        let unreachable =
            |e: dbus::Error| Error::Unreachable(e.message().unwrap_or_default().to_owned());
        let mut channel = Channel::open_private(&bus.address()?).map_err(unreachable)?;
        // Before anything is read: afterwards the bus may have hung up, and there is nothing to watch.
        channel.set_watch_enabled(true);
        Ok(Self { channel, listens: false, heard: VecDeque::new() })
    }

    /// What to wait for before [`Line::advance`] has anything to do.
    pub(crate) fn watch(&self) -> Watch {
        self.channel.watch()
    }

    /// Puts a call on its way, and gives its number.
    pub(crate) fn send(&self, message: Message) -> Result<u32, Error> {
        // It says no only for want of memory.
        self.channel.send(message).map_err(|()| Error::Ended)
    }

    /// Writes and reads what is there, and waits for something to be there for at most `limit`.
    pub(crate) fn advance(&self, limit: Option<Duration>) -> Result<(), Error> {
        self.channel.read_write(limit).map_err(|()| Error::Ended)
    }

    /// The reply to the call of this number, if it has come. What came before is kept, or dropped.
    pub(crate) fn reply_to(&mut self, call: u32) -> Result<Option<Message>, Error> {
        while let Some(mut message) = self.channel.pop_message() {
            if message.get_reply_serial() == Some(call) {
                message.as_result()?;
                return Ok(Some(message));
            }
            self.keep(message)?;
        }
        Ok(None)
    }

    /// What was heard next, if anything has come.
    pub(crate) fn hear(&mut self) -> Result<Option<Message>, Error> {
        while let Some(message) = self.channel.pop_message() {
            self.keep(message)?;
        }
        Ok(self.heard.pop_front())
    }

    fn keep(&mut self, message: Message) -> Result<(), Error> {
        // Replies that nobody waits for any more are not news.
        if !self.listens || message.get_reply_serial().is_some() {
            return Ok(());
        }
        if self.heard.len() >= HEARD_AT_MOST {
            return Err(Error::Flooded);
        }
        self.heard.push_back(message);
        Ok(())
    }
}
