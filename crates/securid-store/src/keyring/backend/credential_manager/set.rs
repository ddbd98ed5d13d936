//! A secret as the parts that it is kept in. Each says, in a line before its piece, which set it is of, which part it is, how
//! many there are, and the checksum of the whole:
//!
//! ```text
//! securid-part1 6d1f0c93a8b2e457 2 7 0f3a…
//! ```
//!
//! The set's number is drawn anew for each secret, so parts of two are never taken for one; the checksum is there for what
//! chance, or somebody with an editor, does all the same.

use std::io;

use securid_secret::SecretBytes;
use sha2::{Digest, Sha256};

use crate::keyring::name::first_digits;

/// How each part begins: what it is, and the version of the format.
const MAGIC: &str = "securid-part1";

/// No credential is longer, in bytes: `CRED_MAX_CREDENTIAL_BLOB_SIZE`, five times 512.
const LONGEST: usize = 2_560;

/// Room for the line, which has some 60 bytes.
const LINE: usize = 80;

/// How much of a secret is in each part but the last.
pub(super) const PIECE: usize = LONGEST - LINE;

/// A secret that is to be stored.
pub(super) struct Set<'a> {
    /// What tells it from all others: 16 hex digits.
    pub(super) id: String,
    secret: &'a [u8],
}

impl<'a> Set<'a> {
    /// One that there has never been.
    ///
    /// # Errors
    /// If the system has no random numbers.
    pub(super) fn of(secret: &'a [u8]) -> io::Result<Self> {
        let id = getrandom::u64().map_err(io::Error::other)?;
        Ok(Self { id: format!("{id:016x}"), secret })
    }

    /// What the credentials hold, the first one first. There is always one.
    pub(super) fn parts(&self) -> impl Iterator<Item = SecretBytes> {
        let count = self.secret.len().div_ceil(PIECE).max(1);
        let check = checksum(self.secret);
        (0..count).map(move |number| {
            let line = format!("{MAGIC} {} {number} {count} {check}\n", self.id);
            let piece = self.secret.chunks(PIECE).nth(number).unwrap_or_default();
            let mut bytes = SecretBytes::with_capacity(line.len() + piece.len());
            bytes.extend_from_slice(line.as_bytes());
            bytes.extend_from_slice(piece);
            bytes
        })
    }
}

/// What a credential holds.
pub(super) struct Part {
    pub(super) set: String,
    /// The first one is 0.
    pub(super) number: usize,
    pub(super) count: usize,
    check: String,
    piece: SecretBytes,
}

impl Part {
    /// Reads what [`Set::parts`] gave, and nothing else; the error says what is wrong.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, &'static str> {
        let end =
            bytes.iter().position(|&byte| byte == b'\n').ok_or("it is no part of a secret")?;
        let (line, piece) = bytes.split_at(end);
        let line = str::from_utf8(line).map_err(|_| "it is no part of a secret")?;
        let words: Vec<_> = line.split(' ').collect();
        let [MAGIC, set, number, count, check] = words[..] else {
            return Err("it is no part of a secret");
        };
        let number_of = |digits: &str| digits.parse().map_err(|_| "its number is bad");
        let (number, count) = (number_of(number)?, number_of(count)?);
        if number >= count {
            return Err("its number is bad");
        }
        let (set, check) = (set.to_owned(), check.to_owned());
        Ok(Self { set, number, count, check, piece: SecretBytes::from(&piece[1..]) })
    }
}

/// The secret of all these parts; the error says what is wrong.
pub(super) fn join(parts: &[Part]) -> Result<SecretBytes, &'static str> {
    let Some(first) = parts.first() else { return Err("it is empty") };
    let mut secret = SecretBytes::with_capacity(parts.iter().map(|part| part.piece.len()).sum());
    for (number, part) in parts.iter().enumerate() {
        let is_next = part.number == number && part.count == parts.len();
        if !is_next || part.set != first.set || part.check != first.check {
            return Err("a part of it is another secret's");
        }
        secret.extend_from_slice(&part.piece);
    }
    if checksum(&secret) == first.check { Ok(secret) } else { Err("its checksum is wrong") }
}

fn checksum(secret: &[u8]) -> String {
    let hash = Sha256::new().chain_update("securid-sessiond parts\0").chain_update(secret);
    first_digits(&hash.finalize())
}
