//! The store of Windows.

use super::{Backend, credential_manager::CredentialManager};
use crate::keyring::error::KeyringError;
use crate::keyring::kind::StoreKind;

/// Besides those that every system has.
pub(in crate::keyring) const STORES: &[StoreKind] = &[StoreKind::CredentialManager];

/// What `auto` asks first.
pub(in crate::keyring) const FIRST: StoreKind = StoreKind::CredentialManager;

/// What it turns to in the end, if that one does not answer and there is no key to a sealed file: to no other.
pub(in crate::keyring) const LAST: StoreKind = FIRST;

/// Connects to one of [`STORES`].
pub(super) fn connect(kind: StoreKind) -> Result<Box<dyn Backend>, KeyringError> {
    match kind {
        StoreKind::CredentialManager => Ok(Box::new(CredentialManager::of_this_logon())),
        other => Err(KeyringError::of_another_system(other)),
    }
}
