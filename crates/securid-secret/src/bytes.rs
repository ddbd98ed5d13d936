//! Bytes that must not be seen.

use std::fmt;
use std::io::{self, Read, Write};
use std::ops::{Deref, DerefMut, Range};

use crate::arena::Slot;
use crate::wipe;

/// Bytes in memory that is locked where the limit allows, left out of core dumps, and wiped: what is cut
/// off at once, the rest when it is dropped. When they grow, no copy stays behind. `Debug` does not show
/// them.
pub struct SecretBytes {
    /// Zero behind `len`.
    slot: Slot,
    len: usize,
}

impl SecretBytes {
    /// None; room is made when there are some.
    #[must_use]
    pub const fn new() -> Self {
        Self { slot: Slot::empty(), len: 0 }
    }

    /// None, with room for `capacity` of them.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self { slot: Slot::new(capacity), len: 0 }
    }

    /// `len` zeroes, to be written over.
    #[must_use]
    pub fn zeroed(len: usize) -> Self {
        Self { slot: Slot::new(len), len }
    }

    /// Reads `source` to its end, or until there are `limit` bytes.
    ///
    /// # Errors
    /// What the source says.
    pub fn read_from(mut source: impl Read, limit: usize) -> io::Result<Self> {
        let mut bytes = Self::zeroed(limit);
        let mut filled = 0;
        while filled < limit {
            match source.read(&mut bytes[filled..]) {
                Ok(0) => break,
                Ok(n) => filled += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        bytes.truncate(filled);
        Ok(bytes)
    }

    /// Appends one.
    pub fn push(&mut self, byte: u8) {
        self.extend_from_slice(&[byte]);
    }

    /// Appends a copy of `bytes`.
    pub fn extend_from_slice(&mut self, bytes: &[u8]) {
        let end = self.len + bytes.len();
        if end > self.slot.bytes().len() {
            let mut larger = Slot::new(end.next_power_of_two());
            larger.bytes_mut()[..self.len].copy_from_slice(self);
            self.slot = larger;
        }
        self.slot.bytes_mut()[self.len..end].copy_from_slice(bytes);
        self.len = end;
    }

    /// Wipes all but the first `len`.
    pub fn truncate(&mut self, len: usize) {
        if len < self.len {
            self.wipe(len..self.len);
            self.len = len;
        }
    }

    /// Zeroes a part; it stays where it is.
    ///
    /// # Panics
    /// If there are not so many bytes.
    pub fn wipe(&mut self, part: Range<usize>) {
        wipe(&mut self[part]);
    }
}

impl Deref for SecretBytes {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        &self.slot.bytes()[..self.len]
    }
}

impl DerefMut for SecretBytes {
    #[inline]
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.slot.bytes_mut()[..self.len]
    }
}

/// Appends; it never fails.
impl Write for SecretBytes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsRef<[u8]> for SecretBytes {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl From<&[u8]> for SecretBytes {
    fn from(bytes: &[u8]) -> Self {
        let mut copy = Self::with_capacity(bytes.len());
        copy.extend_from_slice(bytes);
        copy
    }
}

/// Moves them over, and wipes where they were.
impl From<Vec<u8>> for SecretBytes {
    fn from(mut bytes: Vec<u8>) -> Self {
        let moved = Self::from(&bytes[..]);
        wipe(&mut bytes);
        moved
    }
}

impl Clone for SecretBytes {
    fn clone(&self) -> Self {
        Self::from(&**self)
    }
}

impl Default for SecretBytes {
    fn default() -> Self {
        Self::new()
    }
}

impl PartialEq for SecretBytes {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for SecretBytes {}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", SecretBytes::from(&b"hush"[..])), "[redacted]");
    }

    #[test]
    fn what_is_cut_off_is_wiped_at_once() {
        let mut bytes = SecretBytes::from(&b"hush-hush"[..]);
        bytes.truncate(4);
        assert_eq!(*bytes, *b"hush");
        assert!(bytes.slot.bytes()[4..].iter().all(|b| *b == 0));
        bytes.truncate(9);
        assert_eq!(*bytes, *b"hush");
    }

    #[test]
    fn reading_stops_at_the_limit() {
        let read = |limit| SecretBytes::read_from(&b"hush-hush"[..], limit).unwrap();
        assert_eq!(*read(100), *b"hush-hush");
        assert_eq!(*read(4), *b"hush");
        assert_eq!(read(0).len(), 0);
    }

    proptest! {
        #![proptest_config(crate::cases(256, 2))]

        #[test]
        fn grows_and_shrinks_as_a_vector_does(
            steps in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..200), 0..400_usize), 0..20),
        ) {
            let (mut ours, mut theirs) = (SecretBytes::new(), Vec::new());
            for (more, cut) in steps {
                ours.extend_from_slice(&more);
                theirs.extend_from_slice(&more);
                ours.truncate(cut);
                theirs.truncate(cut);
                prop_assert_eq!(&*ours, &theirs[..]);
                prop_assert_eq!(&ours.clone(), &ours);
                prop_assert!(ours.slot.bytes()[ours.len..].iter().all(|b| *b == 0));
            }
        }
    }
}
