//! Lines of bounded length, in memory for secrets.
//!
//! Every message is one line. A request line is at most [`REQUEST_LIMIT`] bytes, a reply line at
//! most [`REPLY_LIMIT`], both without their newline. A buffer starts small, so that hundreds of
//! idle connections cost little, never grows beyond the limit, and leaves no copy of a token
//! behind when it grows, when a line has been read, and when it is dropped.

use std::{fmt, io};

use securid_secret::SecretBytes;
use thiserror::Error;

/// The longest request line. The largest parameter is a password or a token of a few KiB, or a
/// chunk of 32 KiB in base64.
pub const REQUEST_LIMIT: usize = 64 * 1024;

/// The longest reply line: a page of sessions or of history.
pub const REPLY_LIMIT: usize = 1024 * 1024;

/// What a buffer starts with, and goes back to when it is empty: most requests fit in it.
const SMALL: usize = 1024;

/// A line is longer than its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the line is longer than {limit} bytes")]
pub struct TooLong {
    /// How many bytes it may have, without the newline.
    pub limit: usize,
}

/// Bytes that were received and not yet taken out as lines; also a line that is being written.
pub struct LineBuffer {
    /// Allocated and zeroed in full; the first `filled` bytes count.
    bytes: SecretBytes,
    filled: usize,
    /// So many bytes from the start hold no newline: they need no second look.
    searched: usize,
    limit: usize,
}

/// How much is in it, never what: it may be a token.
impl fmt::Debug for LineBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LineBuffer({} of {} bytes)", self.filled, self.limit)
    }
}

impl LineBuffer {
    /// An empty buffer for lines of at most `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { bytes: SecretBytes::zeroed(SMALL.min(limit + 1)), filled: 0, searched: 0, limit }
    }

    /// Where the next bytes go. Never empty as long as every line is taken out and
    /// [`TooLong`] ends the use.
    pub fn space(&mut self) -> &mut [u8] {
        if self.filled == self.bytes.len() {
            self.resize((self.bytes.len() * 2).min(self.capacity()));
        }
        &mut self.bytes[self.filled..]
    }

    /// Counts `n` bytes that were put into [`LineBuffer::space`].
    pub fn advance(&mut self, n: usize) {
        self.filled = (self.filled + n).min(self.bytes.len());
    }

    /// The bytes that are there.
    #[must_use]
    pub fn filled(&self) -> &[u8] {
        &self.bytes[..self.filled]
    }

    /// Whether nothing waits here.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.filled == 0
    }

    /// Takes out the first whole line, if there is one, and lets `read` look at it without its
    /// newline before it is wiped.
    ///
    /// # Errors
    /// [`TooLong`] if the first line is longer than the limit. What comes after it cannot be told
    /// from it: the connection is to be closed.
    pub fn take_line<T>(&mut self, read: impl FnOnce(&[u8]) -> T) -> Result<Option<T>, TooLong> {
        let newline = self.filled()[self.searched..].iter().position(|byte| *byte == b'\n');
        let Some(at) = newline.map(|at| at + self.searched) else {
            self.searched = self.filled;
            let full = self.filled > self.limit;
            return if full { Err(TooLong { limit: self.limit }) } else { Ok(None) };
        };
        let seen = read(&self.filled()[..at]);
        self.discard(at + 1);
        Ok(Some(seen))
    }

    /// Wipes the first `n` bytes; the others move up.
    pub fn discard(&mut self, n: usize) {
        let left = self.filled.saturating_sub(n);
        self.bytes.copy_within(self.filled - left..self.filled, 0);
        self.bytes.wipe(left..self.filled);
        self.filled = left;
        self.searched = 0;
        if self.filled == 0 && self.bytes.len() > SMALL {
            self.resize(SMALL);
        }
    }

    /// The longest line that it takes, in bytes without the newline.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// A line and its newline.
    fn capacity(&self) -> usize {
        self.limit + 1
    }

    #[cold]
    fn make_room(&mut self, end: usize) -> io::Result<()> {
        if end > self.capacity() {
            return Err(io::Error::other(TooLong { limit: self.limit }));
        }
        self.resize(end.next_power_of_two().min(self.capacity()));
        Ok(())
    }

    /// Moves what is there to a buffer of that size.
    fn resize(&mut self, size: usize) {
        let mut bytes = SecretBytes::zeroed(size);
        bytes[..self.filled].copy_from_slice(self.filled());
        self.bytes = bytes;
    }
}

/// For writing a message: what exceeds the limit is an error, the newline not counted.
impl io::Write for LineBuffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes).map(|()| bytes.len())
    }

    /// A message is written in a hundred pieces of a few bytes.
    #[inline]
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let end = self.filled + bytes.len();
        if end > self.bytes.len() {
            self.make_room(end)?;
        }
        self.bytes[self.filled..end].copy_from_slice(bytes);
        self.filled = end;
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use std::io::Write as _;

    use proptest::prelude::*;

    use super::*;

    fn feed(buffer: &mut LineBuffer, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let space = buffer.space();
            let n = space.len().min(bytes.len());
            assert!(n > 0, "a buffer without space");
            space[..n].copy_from_slice(&bytes[..n]);
            buffer.advance(n);
            bytes = &bytes[n..];
        }
    }

    #[test]
    fn a_line_of_exactly_the_limit_is_taken_and_one_byte_more_is_not() {
        let mut buffer = LineBuffer::new(REQUEST_LIMIT);
        feed(&mut buffer, &vec![b'x'; REQUEST_LIMIT]);
        assert_eq!(buffer.take_line(<[u8]>::len), Ok(None));
        feed(&mut buffer, b"\n");
        assert_eq!(buffer.take_line(<[u8]>::len), Ok(Some(REQUEST_LIMIT)));
        assert!(buffer.is_empty());

        feed(&mut buffer, &vec![b'x'; REQUEST_LIMIT + 1]);
        assert_eq!(buffer.take_line(<[u8]>::len), Err(TooLong { limit: REQUEST_LIMIT }));
        assert_eq!(buffer.bytes.len(), REQUEST_LIMIT + 1, "it grew beyond its limit");
    }

    #[test]
    fn a_line_that_was_read_is_wiped_and_the_buffer_small_again() {
        let mut buffer = LineBuffer::new(REQUEST_LIMIT);
        feed(&mut buffer, b"secret\nab");
        assert_eq!(buffer.take_line(<[u8]>::to_vec), Ok(Some(b"secret".to_vec())));
        assert_eq!(buffer.filled(), b"ab");
        assert!(buffer.bytes[2..].iter().all(|byte| *byte == 0), "left behind");

        feed(&mut buffer, &[b'x'; 5000]);
        feed(&mut buffer, b"\n");
        assert_eq!(buffer.take_line(<[u8]>::len), Ok(Some(5002)));
        assert_eq!(buffer.bytes.len(), SMALL);
    }

    #[test]
    fn debug_shows_nothing() {
        let mut buffer = LineBuffer::new(REQUEST_LIMIT);
        feed(&mut buffer, b"secret");
        assert_eq!(format!("{buffer:?}"), "LineBuffer(6 of 65536 bytes)");
    }

    #[test]
    fn writing_stops_at_the_limit() {
        let mut line = LineBuffer::new(2000);
        line.write_all(&[b'x'; 2000]).unwrap();
        line.write_all(b"\n").unwrap();
        assert!(line.write_all(b"y").is_err());
        assert_eq!(line.filled().len(), 2001);
    }

    proptest! {
        #[test]
        fn lines_come_out_as_they_went_in_however_they_were_cut(
            lines in prop::collection::vec(prop::collection::vec(b'a'..=b'z', 0..3000), 0..6),
            cut in 1_usize..4000,
        ) {
            let mut wire = lines.join(&b'\n');
            wire.push(b'\n');
            let mut buffer = LineBuffer::new(3000);
            let mut seen = Vec::new();
            let mut rest = &wire[..];
            while !rest.is_empty() {
                let n = buffer.space().len().min(cut).min(rest.len());
                feed(&mut buffer, &rest[..n]);
                rest = &rest[n..];
                while let Some(line) = buffer.take_line(<[u8]>::to_vec).unwrap() {
                    seen.push(line);
                }
            }
            let expected = if lines.is_empty() { vec![Vec::new()] } else { lines };
            prop_assert_eq!(seen, expected);
        }
    }
}
