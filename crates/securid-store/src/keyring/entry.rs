//! A token with what it belongs to, and the envelope in which every store keeps it.

use securid_secret::SecretBytes;
use securid_session::{Generation, Key, SessionId};
use sha2::{Digest, Sha256};

use super::name::first_digits;

/// The first line of an envelope: what it is, and the version of the format.
const MAGIC: &str = "securid1";

/// What a keyring keeps for one session: enough to revoke the token with nothing else at hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Which token it is.
    pub key: Key,
    /// The endpoint that it is for, and the only one that it may go to.
    pub origin: String,
    /// The token.
    pub token: SecretBytes,
}

impl Entry {
    /// The bytes to store: magic, id, generation, origin and a checksum, a line each, then the
    /// token. Lines and not JSON because a user of the kernel's keyring has 20,000 bytes in all.
    ///
    /// The checksum is there for the token: one that a store cut short or garbled would be sent,
    /// the server would call it invalid, and the real one would be forgotten alive.
    #[must_use]
    pub fn seal(&self) -> SecretBytes {
        let head =
            format!("{MAGIC}\n{}\n{}\n{}\n", self.key.id, self.key.generation.0, self.origin);
        let check = checksum(&head, &self.token);
        let mut bytes = SecretBytes::with_capacity(head.len() + check.len() + 1 + self.token.len());
        bytes.extend_from_slice(head.as_bytes());
        bytes.extend_from_slice(check.as_bytes());
        bytes.push(b'\n');
        bytes.extend_from_slice(&self.token);
        bytes
    }

    /// Reads what [`Entry::seal`] wrote, and nothing else; the error says what is wrong.
    pub(super) fn open(bytes: &[u8]) -> Result<Self, &'static str> {
        let mut parts = bytes.splitn(6, |&b| b == b'\n');
        let mut line = |missing| parts.next().ok_or(missing);
        if line("it is empty")? != MAGIC.as_bytes() {
            return Err("it does not begin with `securid1`");
        }
        let id = text(line("it has no id")?).and_then(SessionId::parse).ok_or("its id is bad")?;
        let generation = text(line("it has no generation")?)
            .and_then(|digits| digits.parse::<u64>().ok().filter(|n| n.to_string() == digits))
            .ok_or("its generation is bad")?;
        let origin = text(line("it has no origin")?)
            .filter(|url| !url.is_empty())
            .ok_or("its origin is bad")?
            .to_owned();
        let check = line("it has no checksum")?;
        let token = line("it has no token")?;
        if token.is_empty() {
            return Err("its token is empty");
        }
        let head = format!("{MAGIC}\n{id}\n{generation}\n{origin}\n");
        if checksum(&head, token).as_bytes() != check {
            return Err("its checksum is wrong");
        }
        Ok(Self {
            key: Key { id, generation: Generation(generation) },
            origin,
            token: SecretBytes::from(token),
        })
    }
}

fn checksum(head: &str, token: &[u8]) -> String {
    let mut hash = Sha256::new();
    hash.update(head);
    hash.update(token);
    first_digits(&hash.finalize())
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

#[cfg(any(fuzzing, test))]
pub(crate) mod fuzz;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;
    use proptest::prelude::*;

    fn entry(token: &[u8]) -> Entry {
        Entry {
            key: Key { id: SessionId::from_bits(0x0123), generation: Generation(7) },
            origin: "https://igl.example:8443/aveksa/command.submit".to_owned(),
            token: SecretBytes::from(token),
        }
    }

    proptest! {
        #[test]
        fn what_was_sealed_opens_again(bits: u64, generation: u64, origin in "https://[!-~]{1,80}",
                token in proptest::collection::vec(any::<u8>(), 1..300)) {
            let key = Key { id: SessionId::from_bits(bits), generation: Generation(generation) };
            let entry = Entry { key, origin, token: SecretBytes::from(token) };
            prop_assert_eq!(Entry::open(&entry.seal()), Ok(entry));
        }
    }

    #[test]
    fn every_truncation_and_every_changed_byte_is_noticed() {
        let whole = entry(b"AAAA-token\nwith a second line").seal();
        for end in 0..whole.len() {
            assert!(Entry::open(&whole[..end]).is_err(), "cut at {end}");
            let mut changed = whole.clone();
            changed[end] ^= 1;
            assert!(Entry::open(&changed).is_err(), "changed at {end}");
        }
        let mut longer = whole.clone();
        longer.push(b'x');
        assert!(Entry::open(&longer).is_err());
    }

    #[test]
    fn debug_does_not_show_the_token() {
        assert!(!format!("{:?}", entry(b"AAAA-token")).contains("AAAA"));
    }
}
