//! The stores of Linux.

use super::{Backend, keyutils::Keyutils, secret_service::SecretService};
use crate::keyring::error::KeyringError;
use crate::keyring::kind::StoreKind;

/// Besides those that every system has.
pub(in crate::keyring) const STORES: &[StoreKind] =
    &[StoreKind::SecretService, StoreKind::Keyutils];

/// What `auto` asks first.
pub(in crate::keyring) const FIRST: StoreKind = StoreKind::SecretService;

/// What it turns to in the end, if that one does not answer and there is no key to a sealed file.
pub(in crate::keyring) const LAST: StoreKind = StoreKind::Keyutils;

/// Connects to one of [`STORES`].
pub(super) fn connect(kind: StoreKind) -> Result<Box<dyn Backend>, KeyringError> {
    match kind {
        StoreKind::SecretService => Ok(Box::new(SecretService::connect()?)),
        StoreKind::Keyutils => Ok(Box::new(Keyutils::connect()?)),
        other => Err(KeyringError::of_another_system(other)),
    }
}
