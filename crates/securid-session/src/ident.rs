//! What names a session, and what tells two tokens of one name apart.

use std::fmt;

/// The name of a session: 16 lower-case hexadecimal digits, drawn at random by the daemon.
///
/// The digits are in place, not on the heap: with each session its name stands in half a dozen lists.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId([u8; Self::LEN]);

impl SessionId {
    /// How many digits a name has. 64 random bits: among the 10,000 sessions that a daemon holds
    /// at most, two collide with a chance of one in 10^11, and a person can still read it aloud.
    pub const LEN: usize = 16;

    /// The name made of these random bits.
    #[must_use]
    pub fn from_bits(bits: u64) -> Self {
        let digit = |n: usize| b"0123456789abcdef"[(bits >> (60 - 4 * n) & 15) as usize];
        Self(std::array::from_fn(digit))
    }

    /// Reads a name; `None` if it is not exactly [`SessionId::LEN`] lower-case hex digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        let digits = text.as_bytes().try_into().ok()?;
        text.bytes().all(hex).then_some(Self(digits))
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Digits are text.
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which token it is that a session holds: every token that is taken in gets a generation of its
/// own, so that a slow answer about an old token can never act on a newer one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Generation(pub u64);

/// One token: the name of its session and its generation. Whatever is asked of the world is asked
/// under this key, and an answer under any other key than the current one is ignored.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// The session.
    pub id: SessionId,
    /// The token within it.
    pub generation: Generation,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.id, self.generation.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_as_it_was_written() {
        for (bits, name) in [
            (0, "0000000000000000"),
            (0x0123_4567_89ab_cdef, "0123456789abcdef"),
            (u64::MAX, "ffffffffffffffff"),
        ] {
            let id = SessionId::from_bits(bits);
            assert_eq!((id.as_str(), SessionId::parse(name)), (name, Some(id.clone())));
        }
        for wrong in ["", "0123", "0123456789ABCDEF", "0123456789abcdeg", "0123456789abcdef0"] {
            assert_eq!(SessionId::parse(wrong), None);
        }
    }
}
