//! The key of the sealed file, and where it is kept.

use std::env;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use chacha20poly1305::{KeyInit, XChaCha20Poly1305};
use securid_secret::{Secret, SecretBytes};
use securid_trust::{OpenError, Standing, us};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::trouble::SealedTrouble;
use crate::DiskError;
use crate::files;
use crate::keyring::name::first_digits;

/// How a key file begins: what it is, and the version of its format.
const MAGIC: &str = "securid-store-key-1 ";

/// What the credential has to be called.
const CREDENTIAL: &str = "securid-store-key";

/// A key is 256 bits, what the cipher takes.
pub(super) const KEY_LEN: usize = 32;

/// A key file has 84 bytes and a newline; what is much longer is another file.
const LONGEST_FILE: usize = 256;

/// Where the key is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyPlace {
    /// A file that the config names.
    File(PathBuf),
    /// A file that systemd has put into the service's `$CREDENTIALS_DIRECTORY`.
    Credential(PathBuf),
}

impl KeyPlace {
    /// The file that the config names, else the credential `securid-store-key` if there is one.
    #[must_use]
    pub fn find(key_file: Option<&Path>) -> Option<Self> {
        if let Some(file) = key_file {
            return Some(Self::File(file.to_owned()));
        }
        let credential = Path::new(&env::var_os("CREDENTIALS_DIRECTORY")?).join(CREDENTIAL);
        // One that cannot be looked at is there, and the reason is told when it is read.
        credential.try_exists().unwrap_or(true).then_some(Self::Credential(credential))
    }

    /// Whether there is a key here that the daemon may use.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self) -> Result<(), SealedTrouble> {
        SealKey::read(self).map(drop)
    }

    pub(super) fn path(&self) -> &Path {
        let (Self::File(path) | Self::Credential(path)) = self;
        path
    }

    /// Nobody else may have written the file or be able to read it.
    fn is_safe(&self, about: &Standing) -> Result<(), String> {
        let is_open = match self {
            Self::File(_) => about.is_open_to_others(),
            // Up to version 253 systemd gives it to the service's user (0400). Later it is root's, and
            // an access list or the service's own group lets that user read it: mode 0440.
            Self::Credential(_) => about.is_open_to_more_than_a_group(),
        };
        if !about.is_trusted() {
            return Err(format!("it belongs to {}, and this is {}", about.owner(), us()));
        }
        if is_open {
            return Err(format!("it is open to others ({:#})", about.access()));
        }
        Ok(())
    }
}

/// The key: 32 bytes.
pub struct SealKey(SecretBytes);

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealKey").finish_non_exhaustive()
    }
}

impl SealKey {
    /// A key that nobody has.
    ///
    /// # Errors
    /// If the system has no random numbers.
    pub fn generate() -> Result<Self, getrandom::Error> {
        let mut bytes = SecretBytes::zeroed(KEY_LEN);
        getrandom::fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// What a key file holds: one line, which says what it is.
    #[must_use]
    pub fn to_line(&self) -> Secret {
        let mut line = Secret::with_capacity(MAGIC.len() + 2 * KEY_LEN + 1);
        line.push_str(MAGIC);
        for byte in self.0.iter() {
            for digit in [byte >> 4, byte & 15] {
                line.push(char::from_digit(digit.into(), 16).unwrap_or_default());
            }
        }
        line.push('\n');
        line
    }

    /// Writes it into a new file (0600), so that it survives a power cut. Nothing that is there
    /// already is touched: another key may be the only one to some sealed file.
    ///
    /// # Errors
    /// If there is something of that name, or the file cannot be written; then it is not there.
    pub fn write_new(&self, path: &Path) -> Result<(), DiskError> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        files::write_new(path, self.to_line().expose().as_bytes(), "key-file")
            .map_err(|error| DiskError::new("make", path, &error))?;
        files::sync_folder(folder.unwrap_or(Path::new(".")), "key-file")
    }

    pub(super) fn read(place: &KeyPlace) -> Result<Self, SealedTrouble> {
        let path = place.path();
        let unreadable = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => SealedTrouble::KeyGone(path.to_owned()),
            _ => SealedTrouble::KeyUnreadable { path: path.to_owned(), cause: error.to_string() },
        };
        let exposed = |cause| SealedTrouble::KeyExposed { path: path.to_owned(), cause };
        let (file, about) = securid_trust::open(path).map_err(|error| match error {
            OpenError::Io(error) => unreadable(error),
            OpenError::Untrusted(untrusted) => exposed(untrusted.to_string()),
        })?;
        place.is_safe(&about).map_err(exposed)?;
        // One byte more, to find out that it is too long.
        let text = SecretBytes::read_from(file, LONGEST_FILE + 1).map_err(unreadable)?;
        Self::parse(&text).map_err(|cause| SealedTrouble::NotAKey { path: path.to_owned(), cause })
    }

    fn parse(text: &[u8]) -> Result<Self, &'static str> {
        if text.is_empty() {
            return Err("it is empty");
        }
        // An editor of Windows may have put a mark before UTF-8 where it found none.
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        let digits = text
            .trim_ascii_end()
            .strip_prefix(MAGIC.as_bytes())
            .ok_or("it does not begin with `securid-store-key-1 `")?;
        if digits.len() != 2 * KEY_LEN {
            return Err("it has not the 64 digits of a key");
        }
        let mut key = SecretBytes::zeroed(KEY_LEN);
        for (byte, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
            for &digit in pair {
                let value =
                    char::from(digit).to_digit(16).ok_or("there are other than hex digits")?;
                *byte = (*byte << 4) | u8::try_from(value).unwrap_or_default();
            }
        }
        Ok(Self(key))
    }

    #[cfg(any(fuzzing, test))]
    pub(super) fn of(bytes: [u8; KEY_LEN]) -> Self {
        Self(SecretBytes::from(&bytes[..]))
    }

    /// A cipher with this key: made for each use, because it holds a copy outside the memory for secrets
    /// until it is dropped, which wipes it.
    pub(super) fn cipher(&self) -> XChaCha20Poly1305 {
        let mut key = Zeroizing::new([0; KEY_LEN]);
        key.copy_from_slice(&self.0);
        XChaCha20Poly1305::new((&*key).into())
    }

    /// What tells one key from another, and tells nothing else about it: 64 bits of a hash.
    pub(super) fn id(&self) -> String {
        let hash = Sha256::new().chain_update("securid-sessiond seal key\0");
        first_digits(&hash.chain_update(&self.0[..]).finalize())
    }
}

#[cfg(any(fuzzing, test))]
pub(crate) mod fuzz;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_was_made_can_be_read() {
        let key = SealKey::generate().unwrap();
        let line = key.to_line();
        let line = line.expose();
        for text in
            [line.to_string(), line.trim_end().to_owned(), format!("{}\r\n", line.trim_end())]
        {
            assert_eq!(SealKey::parse(text.as_bytes()).unwrap().0, key.0);
        }
        let marked = format!("\u{feff}{line}");
        assert_eq!(SealKey::parse(marked.as_bytes()).unwrap().0, key.0);
        let upper = line.replace(MAGIC, "").to_uppercase();
        assert_eq!(SealKey::parse(format!("{MAGIC}{upper}").as_bytes()).unwrap().id(), key.id());
        assert_ne!(SealKey::generate().unwrap().id(), key.id());
        assert!(!format!("{key:?}").contains(&line[MAGIC.len()..MAGIC.len() + 4]));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let digits = "0123456789abcdef".repeat(4);
        for (text, expected) in [
            (String::new(), "it is empty"),
            (format!("securid-store-key-2 {digits}\n"), "it does not begin"),
            (digits.clone(), "it does not begin"),
            (format!("{MAGIC}{}\n", &digits[1..]), "it has not the 64 digits"),
            (format!("{MAGIC}{digits}0\n"), "it has not the 64 digits"),
            (format!("{MAGIC}{digits}\nmore\n"), "it has not the 64 digits"),
            (format!("{MAGIC}+{}\n", &digits[1..]), "there are other"),
        ] {
            let told = SealKey::parse(text.as_bytes()).unwrap_err();
            assert!(told.starts_with(expected), "{text:?}: {told}");
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(text in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = SealKey::parse(&text);
            let _ = SealKey::parse(&[MAGIC.as_bytes(), &text].concat());
        }
    }
}
