//! What a store has to be able to do.

#[cfg(feature = "test-store")]
mod folder;
#[cfg(target_os = "linux")]
mod keyutils;
pub(crate) mod sealed_file;
#[cfg(target_os = "linux")]
mod secret_service;

use std::sync::Arc;

use securid_secret::SecretBytes;
use securid_session::SessionId;

use super::error::KeyringError;
use super::kind::StoreKind;
use super::name::{EntryName, Namespace};

pub(super) use sealed_file::SealedFile;
pub use sealed_file::{KeyPlace, SealKey, SealedPlace, SealedTrouble};

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
}

/// Connects to a store of this machine.
#[cfg(target_os = "linux")]
pub(super) fn connect(
    kind: StoreKind,
    sealed: &Arc<SealedFile>,
) -> Result<Box<dyn Backend>, KeyringError> {
    match kind {
        StoreKind::SecretService => Ok(Box::new(secret_service::SecretService::connect()?)),
        StoreKind::SealedFile => Ok(Box::new(SealedFile::connect(sealed)?)),
        StoreKind::Keyutils => Ok(Box::new(keyutils::Keyutils::connect()?)),
        #[cfg(feature = "test-store")]
        StoreKind::Test => Ok(Box::new(folder::Folder::from_environment()?)),
    }
}

/// Connects to a store of this machine.
#[cfg(not(target_os = "linux"))]
pub(super) fn connect(
    kind: StoreKind,
    sealed: &Arc<SealedFile>,
) -> Result<Box<dyn Backend>, KeyringError> {
    match kind {
        StoreKind::SealedFile => Ok(Box::new(SealedFile::connect(sealed)?)),
        #[cfg(feature = "test-store")]
        StoreKind::Test => Ok(Box::new(folder::Folder::from_environment()?)),
        _ => Err(KeyringError::unavailable(kind, "this system has no such store")),
    }
}

/// Puts a store crate's error into words. Its `BadEncoding` and `BadDataFormat` carry the secret, so
/// only the parts that come from the platform are ever quoted.
#[cfg(target_os = "linux")]
fn platform_error(kind: StoreKind, error: &keyring::Error) -> KeyringError {
    use keyring::Error;
    let cause = match error {
        Error::PlatformFailure(cause) | Error::NoStorageAccess(cause) => cause.to_string(),
        Error::NoEntry => "the entry vanished while it was used".to_owned(),
        Error::Ambiguous(entries) => format!("{} entries have the same name", entries.len()),
        Error::TooLong(what, limit) => format!("{what} is longer than {limit}"),
        Error::Invalid(what, _) => format!("it does not take this {what}"),
        Error::BadEncoding(_) | Error::BadDataFormat(..) => "it gave unreadable data".to_owned(),
        _ => "it failed in a way that its library does not explain".to_owned(),
    };
    KeyringError::unavailable(kind, cause)
}
