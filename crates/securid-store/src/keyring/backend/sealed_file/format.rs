//! The bytes of the sealed file.
//!
//! ```text
//! securid-sealed-1 KEY-ID NAMESPACE CHECK⏎    who may open it; readable by a person
//! ID LENGTH NONCE SECRET TAG                  an entry, sealed by itself
//! …
//! NONCE TAG                                   the seal of all that is before it
//! ```
//!
//! The first line has a checksum of its own, so that a wrong key, or another state folder's file, is
//! told from damage. The seal shows that nothing was changed, cut off, left out or added: only under
//! it may an entry count as absent. That each entry is sealed by itself as well costs 40 bytes, and
//! means that damage elsewhere takes no other entry with it, and that the rest of the secrets need not
//! be opened to change one.
//!
//! A whole older version of the file in the place of the newer one is not noticed: nothing outside of
//! it knows how new it has to be.

use std::collections::BTreeMap;
use std::ops::Range;

use chacha20poly1305::aead::inout::InOutBuf;
use chacha20poly1305::aead::{Aead, AeadInOut, Payload};
use chacha20poly1305::{Tag, XNonce};
use securid_secret::SecretBytes;
use securid_session::SessionId;
use sha2::{Digest, Sha256};

use super::key::SealKey;
use crate::keyring::name::{Namespace, first_digits};

/// How a sealed file of any version begins.
const MAGIC: &str = "securid-sealed-";
/// The version of the format that is written here.
const VERSION: u32 = 1;
/// The first line has some 80 bytes. Versions to come keep its form.
const LONGEST_HEAD: usize = 256;

/// 24 bytes are enough to draw them at random for ever: XChaCha20 was made for that.
const NONCE_LEN: usize = 24;
const TAG_LEN: usize = 16;
const SEAL_LEN: usize = NONCE_LEN + TAG_LEN;
/// Before the sealed part of an entry: whose it is, and how long that part is.
const ENTRY_HEAD_LEN: usize = SessionId::LEN + size_of::<u32>();

/// Where in a file the entry of each session is.
pub(super) type Index = BTreeMap<SessionId, Range<usize>>;

/// Why bytes are not a sealed file that may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    WrongKey,
    Elsewhere,
    Newer(u32),
    Damaged(&'static str),
}

/// What seals and opens: a key, and the one namespace that it is used for.
pub(super) struct Seal {
    key: SealKey,
    key_id: String,
    namespace: String,
}

impl Seal {
    pub(super) fn new(key: SealKey, namespace: &Namespace) -> Self {
        Self { key_id: key.id(), key, namespace: namespace.as_str().to_owned() }
    }

    /// Whether it is this key's.
    pub(super) fn is_of(&self, key: &SealKey) -> bool {
        self.key_id == key.id()
    }

    /// Which entries a file has, and where, if it is whole.
    pub(super) fn index(&self, bytes: &[u8]) -> Result<Index, Fault> {
        let begin = self.admit(bytes)?;
        let end = bytes.len().checked_sub(SEAL_LEN).filter(|end| *end >= begin);
        let (body, seal) = end
            .and_then(|end| bytes.split_at_checked(end))
            .ok_or(Fault::Damaged("its end is missing"))?;
        self.unseal(body, seal).ok_or(Fault::Damaged("its seal is broken"))?;
        let mut index = Index::new();
        let mut at = begin;
        while let Some(rest) = body.get(at..).filter(|rest| !rest.is_empty()) {
            let (id, len) = measure(rest).ok_or(Fault::Damaged("an entry makes no sense"))?;
            if index.insert(id, at..at + len).is_some() {
                return Err(Fault::Damaged("an entry is there twice"));
            }
            at += len;
        }
        Ok(index)
    }

    /// Looks for a session's entry in bytes that are not a whole file. What opens is what was sealed
    /// under that name; that nothing does means nothing.
    pub(super) fn salvage(&self, bytes: &[u8], id: &SessionId) -> Option<SecretBytes> {
        let begins = bytes.windows(SessionId::LEN).enumerate();
        begins.filter(|(_, name)| *name == id.as_str().as_bytes()).find_map(|(at, _)| {
            let rest = bytes.get(at..)?;
            self.open_entry(id, rest.get(..measure(rest)?.1)?)
        })
    }

    /// The secret in a sealed entry, if it is this session's.
    pub(super) fn open_entry(&self, id: &SessionId, entry: &[u8]) -> Option<SecretBytes> {
        self.unseal(self.name(id).as_bytes(), entry.get(ENTRY_HEAD_LEN..)?)
    }

    /// An entry of this session, sealed.
    pub(super) fn entry(&self, id: &SessionId, secret: &[u8]) -> Result<Vec<u8>, getrandom::Error> {
        let sealed = self.seal(self.name(id).as_bytes(), secret)?;
        // A secret is far smaller than 4 GiB; what is not would fail to be read back.
        let len = u32::try_from(sealed.len()).unwrap_or_default();
        Ok([id.as_str().as_bytes(), &len.to_le_bytes(), &sealed].concat())
    }

    /// A whole file with these sealed entries.
    pub(super) fn file(&self, entries: &[&[u8]]) -> Result<Vec<u8>, getrandom::Error> {
        let mut bytes = self.head().into_bytes();
        bytes.reserve_exact(entries.iter().map(|entry| entry.len()).sum::<usize>() + SEAL_LEN);
        entries.iter().for_each(|entry| bytes.extend_from_slice(entry));
        let seal = self.seal(&bytes, &[])?;
        bytes.extend_from_slice(&seal);
        Ok(bytes)
    }

    fn head(&self) -> String {
        let text = format!("{MAGIC}{VERSION} {} {}", self.key_id, self.namespace);
        format!("{text} {}\n", check(&text))
    }

    /// Whether the first line lets us in; where the entries begin.
    fn admit(&self, bytes: &[u8]) -> Result<usize, Fault> {
        let damaged = Fault::Damaged("its first line makes no sense");
        let start = bytes.get(..bytes.len().min(LONGEST_HEAD)).unwrap_or_default();
        let len = start.iter().position(|byte| *byte == b'\n').ok_or(damaged)?;
        let line = start.get(..len).and_then(|line| std::str::from_utf8(line).ok());
        let (text, sum) = line.and_then(|line| line.rsplit_once(' ')).ok_or(damaged)?;
        if check(text) != sum {
            return Err(damaged);
        }
        let mut words = text.split(' ');
        let version = words.next().and_then(|word| word.strip_prefix(MAGIC)).ok_or(damaged)?;
        match version.parse() {
            Ok(VERSION) => {}
            Ok(newer) if newer > VERSION => return Err(Fault::Newer(newer)),
            _ => return Err(damaged),
        }
        if words.next() != Some(&self.key_id) {
            return Err(Fault::WrongKey);
        }
        if words.next() != Some(&self.namespace) {
            return Err(Fault::Elsewhere);
        }
        if words.next().is_some() {
            return Err(damaged);
        }
        Ok(len + 1)
    }

    /// What an entry is bound to. It differs from the beginning of any file, which the other seal is
    /// bound to.
    fn name(&self, id: &SessionId) -> String {
        format!("entry {VERSION} {} {} {id}", self.key_id, self.namespace)
    }

    /// Nonce, encrypted secret and tag. `bound` has to be there again when it is opened.
    fn seal(&self, bound: &[u8], secret: &[u8]) -> Result<Vec<u8>, getrandom::Error> {
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce)?;
        let payload = Payload { msg: secret, aad: bound };
        // It refuses only what is longer than 256 GiB.
        let sealed = self.key.cipher().encrypt(&XNonce::from(nonce), payload).unwrap_or_default();
        Ok([nonce.as_slice(), &sealed].concat())
    }

    fn unseal(&self, bound: &[u8], sealed: &[u8]) -> Option<SecretBytes> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let (sealed, tag) = sealed.split_last_chunk::<TAG_LEN>()?;
        // Opened where it stays.
        let mut secret = SecretBytes::from(sealed);
        let cipher = self.key.cipher();
        cipher
            .decrypt_inout_detached(
                &XNonce::from(*nonce),
                bound,
                InOutBuf::from(&mut secret[..]),
                &Tag::from(*tag),
            )
            .ok()?;
        Some(secret)
    }
}

/// Whose entry these bytes begin with, and how long it is as a whole.
fn measure(bytes: &[u8]) -> Option<(SessionId, usize)> {
    let (id, rest) = bytes.split_first_chunk::<{ SessionId::LEN }>()?;
    let (len, sealed) = rest.split_first_chunk()?;
    let len = usize::try_from(u32::from_le_bytes(*len)).ok()?;
    let id = std::str::from_utf8(id).ok().and_then(SessionId::parse)?;
    (len <= sealed.len()).then_some((id, ENTRY_HEAD_LEN + len))
}

fn check(text: &str) -> String {
    first_digits(&Sha256::digest(text))
}

#[cfg(any(fuzzing, test))]
pub(crate) mod fuzz;

#[cfg(test)]
mod tests;
