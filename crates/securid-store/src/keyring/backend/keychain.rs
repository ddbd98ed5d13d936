//! The user's default keychain of macOS, mostly the login keychain.
//!
//! The system's calls are spoken here and not by a store crate: `apple-native-keyring-store` tells neither a locked keychain
//! from a missing item nor lets one forbid that a person is asked.

use std::mem::forget;

use securid_macos::keychain::default_is_unlocked;
use securid_secret::SecretBytes;
use securid_session::SessionId;
use security_framework::base::Error;
use security_framework::item::{ItemClass, ItemSearchOptions, Limit};
use security_framework::os::macos::keychain::SecKeychain;

use super::Backend;
use crate::keyring::error::KeyringError;
use crate::keyring::kind::StoreKind;
use crate::keyring::name::{EntryName, Namespace};

const KIND: StoreKind = StoreKind::Keychain;

/// `errSecItemNotFound`.
const NOT_FOUND: i32 = -25300;

/// `userCanceledErr`: a person has said no.
const CANCELED: i32 = -128;

/// `errSecAuthFailed`, `errSecInteractionNotAllowed`, `errSecInteractionRequired`: a person would have to be asked.
const WANTS_A_PERSON: [i32; 3] = [-25293, -25308, -25315];

/// A connection to the default keychain. Items carry the namespace as service and the session's id as account; both are
/// readable while it is locked, and neither is a secret. What is in an item is given to the program that made it, and
/// another has a person asked.
pub(super) struct Keychain;

impl Keychain {
    pub(super) fn connect() -> Result<Self, KeyringError> {
        forbid_prompts()?;
        SecKeychain::default().map(|_| Self).map_err(failure)
    }

    /// The keychain, which is unlocked at this moment.
    fn unlocked(&self) -> Result<SecKeychain, KeyringError> {
        forbid_prompts()?;
        match default_is_unlocked() {
            Ok(true) => SecKeychain::default().map_err(failure),
            Ok(false) => Err(KeyringError::locked(KIND, "the default keychain")),
            Err(code) => Err(failure(Error::from_code(code))),
        }
    }

    /// Nothing was found. That counts only if it is unlocked still.
    fn absent<T>(&self, nothing: T) -> Result<T, KeyringError> {
        self.unlocked().map(|_| nothing)
    }
}

impl Backend for Keychain {
    fn check(&mut self, interactive: bool) -> Result<(), KeyringError> {
        let refused = match self.unlocked() {
            Err(KeyringError::Locked { .. }) if interactive => {
                allow_prompts()?;
                let unlocked = SecKeychain::default().and_then(|mut chain| chain.unlock(None));
                forbid_prompts()?;
                return unlocked.map_err(failure);
            }
            other => other,
        };
        refused.map(drop)
    }

    fn put(
        &mut self,
        name: EntryName<'_>,
        _label: &str,
        secret: &[u8],
    ) -> Result<(), KeyringError> {
        let chain = self.unlocked()?;
        let (service, account) = (name.namespace.as_str(), name.id.as_str());
        let found = chain.find_generic_password(service, account).map(|(_, item)| item);
        let stored = match found {
            Ok(mut item) => item.set_password(secret),
            Err(error) if error.code() == NOT_FOUND => {
                chain.add_generic_password(service, account, secret)
            }
            Err(error) => Err(error),
        };
        stored.map_err(failure)
    }

    fn get(&mut self, name: EntryName<'_>) -> Result<Option<SecretBytes>, KeyringError> {
        let chain = self.unlocked()?;
        match chain.find_generic_password(name.namespace.as_str(), name.id.as_str()) {
            Ok((secret, _)) => Ok(Some(SecretBytes::from(&*secret))),
            Err(error) if error.code() == NOT_FOUND => self.absent(None),
            Err(error) => Err(failure(error)),
        }
    }

    fn delete(&mut self, name: EntryName<'_>) -> Result<(), KeyringError> {
        let chain = self.unlocked()?;
        let deleted = items(&chain, name.namespace).account(name.id.as_str()).delete();
        match deleted {
            Ok(()) => Ok(()),
            Err(error) if error.code() == NOT_FOUND => self.absent(()),
            Err(error) => Err(failure(error)),
        }
    }

    fn names(&mut self, namespace: &Namespace) -> Result<Option<Vec<SessionId>>, KeyringError> {
        let chain = self.unlocked()?;
        let found = items(&chain, namespace).load_attributes(true).limit(Limit::All).search();
        let found = match found {
            Ok(found) => found,
            Err(error) if error.code() == NOT_FOUND => return self.absent(Some(Vec::new())),
            Err(error) => return Err(failure(error)),
        };
        let attributes = found.iter().filter_map(|item| item.simplify_dict());
        let accounts = attributes.filter_map(|mut about| about.remove("acct"));
        Ok(Some(accounts.filter_map(|id| SessionId::parse(&id)).collect()))
    }
}

fn items(chain: &SecKeychain, namespace: &Namespace) -> ItemSearchOptions {
    let mut options = ItemSearchOptions::new();
    options
        .keychains(std::slice::from_ref(chain))
        .class(ItemClass::generic_password())
        .service(namespace.as_str());
    options
}

/// From now on no call of this process has a person asked; it fails instead.
fn forbid_prompts() -> Result<(), KeyringError> {
    // Dropped, it would allow them again.
    SecKeychain::disable_user_interaction().map(forget).map_err(failure)
}

fn allow_prompts() -> Result<(), KeyringError> {
    SecKeychain::disable_user_interaction().map(drop).map_err(failure)
}

fn failure(error: Error) -> KeyringError {
    match error.code() {
        CANCELED => KeyringError::locked(KIND, "the unlock prompt was not answered"),
        code if WANTS_A_PERSON.contains(&code) => {
            KeyringError::locked(KIND, format!("it wants to ask its person first ({error})"))
        }
        _ => KeyringError::unavailable(KIND, error.to_string()),
    }
}
