//! What both kinds of connection do the same way.

use std::collections::VecDeque;
use std::time::Duration;

use dbus::channel::{Channel, Watch};
use dbus::{Message, MessageType};

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
            if is_reply(&message) && message.get_reply_serial() == Some(call) {
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
        // Replies that nobody waits for any more are not news, nor are calls.
        if !self.listens || message.msg_type() != MessageType::Signal {
            return Ok(());
        }
        if self.heard.len() >= HEARD_AT_MOST {
            return Err(Error::Flooded);
        }
        self.heard.push_back(message);
        Ok(())
    }
}

/// Whether it is of the kind that a bus lets through only to whoever has asked for it. Signals may have the number of a call on
/// them, and anybody may send them to anybody.
fn is_reply(message: &Message) -> bool {
    matches!(message.msg_type(), MessageType::MethodReturn | MessageType::Error)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// A message of this kind with the number of our call on it, as it comes over a bus.
    fn about_call(kind: u8, call: u8) -> Message {
        // Byte order, kind, flags, version; length of the body, number, length of the fields.
        let mut bytes = vec![b'l', kind, 0, 1, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0];
        // REPLY_SERIAL is an unsigned number, and PATH, INTERFACE and MEMBER are what a signal needs, ERROR_NAME an error.
        bytes.extend([5, 1, b'u', 0, call, 0, 0, 0]);
        for (field, form, text) in
            [(1, b'o', "/a"), (2, b's', "a.b"), (3, b's', "C"), (4, b's', "a.b.C")]
        {
            bytes.resize(bytes.len().next_multiple_of(8), 0);
            bytes.extend([field, 1, form, 0, text.len() as u8, 0, 0, 0]);
            bytes.extend(text.as_bytes());
            bytes.push(0);
        }
        bytes[12] = (bytes.len() - 16) as u8;
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        Message::demarshal(&bytes).unwrap()
    }

    #[test]
    fn a_signal_is_no_reply_whatever_stands_on_it() {
        for (kind, replies) in [(2, true), (3, true), (4, false), (1, false)] {
            let message = about_call(kind, 5);
            assert_eq!(message.get_reply_serial(), Some(5), "kind {kind}");
            assert_eq!(is_reply(&message), replies, "kind {kind}");
        }
    }
}
