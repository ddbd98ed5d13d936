//! What can go wrong with a keyring, and what a person can do about it.

use securid_session::{Key, SessionId};

use super::kind::{Readiness, StoreKind};

/// A keyring did not do what it was asked. Causes are words for people, never parts of a secret;
/// what a store crate says is taken apart first (`keyring_core::Error` may carry the secret itself).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    /// It is there, and a person has to unlock it. Says nothing about what is in it.
    #[error("the keyring ({kind}) is locked: {cause}")]
    Locked {
        /// The store.
        kind: StoreKind,
        /// What exactly is locked.
        cause: String,
    },
    /// It cannot be reached, or cannot be used here. Says nothing about what is in it.
    #[error("the keyring ({kind}) is unavailable: {cause}")]
    Unavailable {
        /// The store.
        kind: StoreKind,
        /// Why.
        cause: String,
        /// What a person can do about it, as a sentence.
        hint: &'static str,
    },
    /// It did not answer in time, and may or may not have done what it was asked.
    #[error("the keyring ({kind}) does not answer: {cause}")]
    Unresponsive {
        /// The store.
        kind: StoreKind,
        /// What was waited for.
        cause: String,
    },
    /// It has no room for another secret; nothing was stored.
    #[error("the keyring ({kind}) is full: {cause}")]
    Full {
        /// The store.
        kind: StoreKind,
        /// The limit that was met.
        cause: String,
    },
    /// It said that it had stored a secret, and did not give it back; nothing was left behind.
    #[error("the keyring ({kind}) did not keep what was stored in it")]
    NotKept {
        /// The store.
        kind: StoreKind,
    },
    /// There is an entry, and it is not one that this version wrote, or not whole.
    #[error("the entry of session {id} in the keyring ({kind}) is damaged: {cause}")]
    Damaged {
        /// The store.
        kind: StoreKind,
        /// The session that it is named after.
        id: SessionId,
        /// What is wrong with it.
        cause: &'static str,
    },
    /// The entry holds another token than the one asked for, which is not handed out.
    #[error("the keyring ({kind}) has the token {found} where {asked} was asked for")]
    Mismatch {
        /// The store.
        kind: StoreKind,
        /// The token that was asked for.
        asked: Key,
        /// The token that is there.
        found: Key,
    },
}

impl KeyringError {
    /// The store that it is about.
    #[must_use]
    pub fn kind(&self) -> StoreKind {
        match self {
            Self::Locked { kind, .. }
            | Self::Unavailable { kind, .. }
            | Self::Unresponsive { kind, .. }
            | Self::Full { kind, .. }
            | Self::NotKept { kind }
            | Self::Damaged { kind, .. }
            | Self::Mismatch { kind, .. } => *kind,
        }
    }

    /// What a person can do about it, as a sentence.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Locked { .. } => {
                "Unlock the keyring: log in to the desktop, or open its manager."
            }
            Self::Unavailable { hint, .. } => hint,
            Self::Unresponsive { kind: StoreKind::SealedFile, .. } => {
                "Look into the system's log for the disk of the sealed file, or of its key."
            }
            Self::Unresponsive { .. } => "Restart the keyring's service; the daemon tries again.",
            Self::Full { kind: StoreKind::SealedFile, .. } => "Make room on that file system.",
            Self::Full { .. } => "Log out of sessions that are no longer needed.",
            Self::NotKept { .. } => "Set `keyring` to another store.",
            Self::Damaged { .. } => {
                "Log out at the server, then give the session up: securid-ctl forget ID --yes."
            }
            Self::Mismatch { .. } => {
                "Another program wrote to the entry: log out at the server, then give the session up: \
                 securid-ctl forget ID --yes."
            }
        }
    }

    pub(super) fn locked(kind: StoreKind, cause: impl Into<String>) -> Self {
        Self::Locked { kind, cause: cause.into() }
    }

    pub(super) fn unavailable(kind: StoreKind, cause: impl Into<String>) -> Self {
        let hint = match kind {
            StoreKind::SecretService => {
                "Start a Secret Service (gnome-keyring, KWallet, KeePassXC) with a default \
                 collection, or set `keyring` to another store."
            }
            StoreKind::SealedFile => {
                "Look into the system's log for that disk; the daemon tries again."
            }
            StoreKind::Keyutils => {
                "Set `keyring` to another store: kernel keyrings cannot be used here."
            }
            StoreKind::Keychain => {
                "Look whether Keychain Access shows the login keychain; the daemon tries again."
            }
            StoreKind::CredentialManager => {
                "Log on with a password, or set `keyring` to sealed-file and `key_file` to a key; the daemon \
                 tries again."
            }
            #[cfg(feature = "test-store")]
            StoreKind::Test => "Set SECURID_TEST_STORE to an existing folder.",
        };
        Self::Unavailable { kind, cause: cause.into(), hint }
    }

    /// A record, or the config, names a store of another system.
    pub(super) fn of_another_system(kind: StoreKind) -> Self {
        let hint = "Go on with its sessions on the system that they were made on; for new ones set `keyring` to \
                    another store.";
        Self::Unavailable { kind, cause: "this system has no such store".to_owned(), hint }
    }

    pub(super) fn unresponsive(kind: StoreKind, cause: impl Into<String>) -> Self {
        Self::Unresponsive { kind, cause: cause.into() }
    }

    /// What it tells about the store as a whole.
    pub(super) fn readiness(&self) -> Readiness {
        match self {
            Self::Locked { .. } => Readiness::Locked,
            Self::Unavailable { .. } | Self::Unresponsive { .. } => Readiness::Unavailable,
            Self::Full { .. }
            | Self::NotKept { .. }
            | Self::Damaged { .. }
            | Self::Mismatch { .. } => Readiness::Ready,
        }
    }
}
