//! What a store has to be able to do.
//!
//! - `linux`, `macos`, `windows`: which stores a system has, and which of them `auto` takes
//! - the others are a store each

#[cfg(any(windows, test))]
mod credential_manager;
#[cfg(feature = "test-store")]
mod folder;
#[cfg(target_os = "macos")]
mod keychain;
#[cfg(target_os = "linux")]
mod keyutils;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;
pub(crate) mod sealed_file;
#[cfg(target_os = "linux")]
mod secret_service;
#[cfg(windows)]
mod windows;

use std::sync::Arc;

use securid_secret::SecretBytes;
use securid_session::SessionId;

use super::error::KeyringError;
use super::kind::StoreKind;
use super::name::{EntryName, Namespace};

#[cfg(target_os = "linux")]
use linux as system;
#[cfg(target_os = "macos")]
use macos as system;
#[cfg(windows)]
use windows as system;

pub(super) use sealed_file::SealedFile;
pub use sealed_file::{KeyPlace, SealKey, SealedPlace, SealedTrouble};
pub(super) use system::{FIRST, LAST};

/// A connection to a store. Synchronous, used by one thread at a time, and allowed to hang: whoever
/// calls it has given it a thread that can be spared.
///
/// Apart from `check(true)` nothing here may open a prompt. "Absent" may be answered only by a store
/// that is reachable, unlocked and definitely has no such entry.
pub trait Backend: Send {
    /// Whether the store is reachable and unlocked. With `interactive` it may ask a person to unlock
    /// it, and wait for the answer as long as that takes.
    ///
    /// # Errors
    /// Why it is not ready.
    fn check(&mut self, interactive: bool) -> Result<(), KeyringError>;

    /// Stores a secret under this name, in place of any other there. `label` is what keyring
    /// managers show.
    ///
    /// # Errors
    /// Why it was not stored.
    fn put(&mut self, name: EntryName<'_>, label: &str, secret: &[u8]) -> Result<(), KeyringError>;

    /// The secret under this name; `None` if there is definitely none.
    ///
    /// # Errors
    /// Why that cannot be told.
    fn get(&mut self, name: EntryName<'_>) -> Result<Option<SecretBytes>, KeyringError>;

    /// Deletes what is under this name; it is fine if there is nothing.
    ///
    /// # Errors
    /// Why it may still be there.
    fn delete(&mut self, name: EntryName<'_>) -> Result<(), KeyringError>;

    /// All sessions with an entry in this namespace; `None` if this store cannot search.
    ///
    /// # Errors
    /// Why that cannot be told.
    fn names(&mut self, namespace: &Namespace) -> Result<Option<Vec<SessionId>>, KeyringError>;

    /// Deletes what crashes have left in this namespace that is no entry, as far as it goes. Nobody else may be storing
    /// there.
    fn tidy(&mut self, _namespace: &Namespace) {}
}

impl StoreKind {
    /// The stores of this system, but for that of the tests.
    pub fn of_this_system() -> impl Iterator<Item = Self> {
        let is_here = |kind: &Self| *kind == Self::SealedFile || system::STORES.contains(kind);
        Self::ALL.iter().copied().filter(is_here)
    }

    /// Whether this system has such a store. Others are known by name, since a record or a config may be from
    /// elsewhere: nothing counts as absent there.
    #[must_use]
    pub fn is_of_this_system(self) -> bool {
        #[cfg(feature = "test-store")]
        if self == Self::Test {
            return true;
        }
        Self::of_this_system().any(|kind| kind == self)
    }
}

/// Connects to a store of this machine.
pub(super) fn connect(
    kind: StoreKind,
    sealed: &Arc<SealedFile>,
) -> Result<Box<dyn Backend>, KeyringError> {
    match kind {
        StoreKind::SealedFile => Ok(Box::new(SealedFile::connect(sealed)?)),
        #[cfg(feature = "test-store")]
        StoreKind::Test => Ok(Box::new(folder::Folder::from_environment()?)),
        other if other.is_of_this_system() => system::connect(other),
        other => Err(KeyringError::of_another_system(other)),
    }
}
