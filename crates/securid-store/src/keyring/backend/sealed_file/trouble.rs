//! Why the sealed file cannot be used, so that a person can tell one reason from the other.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::path::PathBuf;

use crate::DiskError;
use crate::disk::DiskErrorKind;
use crate::keyring::error::KeyringError;
use crate::keyring::kind::StoreKind;
#[cfg(unix)]
use unix::{LET_US_READ, SHUT_OTHERS_OUT};
#[cfg(windows)]
use windows::{LET_US_READ, SHUT_OTHERS_OUT};

/// What is in the way of the sealed file. None of it says anything about what is in the file, and on
/// none of it is the file touched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealedTrouble {
    /// Neither is a key file set, nor has systemd handed over a key.
    #[error("it has no key")]
    NoKey,
    /// The key's file is not there.
    #[error("its key file {} is not there", .0.display())]
    KeyGone(PathBuf),
    /// The key's file is there and cannot be read.
    #[error("its key file {} cannot be read: {cause}", path.display())]
    KeyUnreadable {
        /// The key's file.
        path: PathBuf,
        /// The system's words for it.
        cause: String,
    },
    /// Somebody else may know the key, or may have put it there.
    #[error("its key file {} is not safe: {cause}", path.display())]
    KeyExposed {
        /// The key's file.
        path: PathBuf,
        /// Who, and by which mode.
        cause: String,
    },
    /// The key's file holds something else.
    #[error("its key file {} holds no key: {cause}", path.display())]
    NotAKey {
        /// The key's file.
        path: PathBuf,
        /// What is wrong with it.
        cause: &'static str,
    },
    /// The file was sealed with another key.
    #[error("{} was sealed with another key than that in {}", file.display(), key.display())]
    WrongKey {
        /// The sealed file.
        file: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// The file was sealed for another state folder, or on another machine.
    #[error("{} belongs to another state folder, or to another machine", .0.display())]
    Elsewhere(PathBuf),
    /// A newer version of this program sealed the file.
    #[error("{} is of a newer version ({version})", file.display())]
    Newer {
        /// The sealed file.
        file: PathBuf,
        /// The version that it says.
        version: u32,
    },
    /// The key is right and the file is not whole.
    #[error("{} is damaged: {cause}", file.display())]
    Damaged {
        /// The sealed file.
        file: PathBuf,
        /// What is wrong with it.
        cause: &'static str,
    },
    /// The sealed file could not be read or written.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The system has no random numbers, without which nothing can be sealed.
    #[error("no random numbers: {0}")]
    Random(#[from] getrandom::Error),
}

impl SealedTrouble {
    /// What a person can do about it, as a sentence.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NoKey => {
                "Make one with `securid-sessiond --make-key FILE` and set `key_file` to it; or set \
                 `keyring` to another store."
            }
            Self::KeyGone(_) => {
                "Put it back, or mount what it is on: a new key opens nothing that the old one sealed."
            }
            Self::KeyUnreadable { .. } => LET_US_READ,
            Self::KeyExposed { .. } => SHUT_OTHERS_OUT,
            Self::NotAKey { .. } => {
                "Set `key_file` to what `securid-sessiond --make-key` has made: one line that begins \
                 with securid-store-key-1."
            }
            Self::WrongKey { .. } => {
                "Put the right key back. If it is lost for good, move the sealed file away: its \
                 sessions are then listed as lost."
            }
            Self::Elsewhere(_) => {
                "Bring it back to where it was, or move it away: its sessions are then listed as lost."
            }
            Self::Newer { .. } => "Start that version.",
            Self::Damaged { .. } => {
                "Put a good copy in its place. If there is none, log out what can still be logged \
                 out, then move it away: the rest is then listed as lost."
            }
            Self::Disk(_) | Self::Random(_) => {
                "Look into the system's log for that disk; the daemon tries again."
            }
        }
    }
}

impl From<SealedTrouble> for KeyringError {
    fn from(trouble: SealedTrouble) -> Self {
        let kind = StoreKind::SealedFile;
        let (cause, hint) = (trouble.to_string(), trouble.hint());
        match trouble {
            SealedTrouble::Disk(error) if error.kind == DiskErrorKind::Full => {
                Self::Full { kind, cause }
            }
            _ => Self::Unavailable { kind, cause, hint },
        }
    }
}
