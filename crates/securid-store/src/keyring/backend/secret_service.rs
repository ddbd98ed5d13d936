//! The desktop's Secret Service.

use std::collections::HashMap;
use std::sync::Arc;

use keyring::api::CredentialStoreApi;
use keyring::{Entry as Item, Error};
use securid_secret::SecretBytes;
use securid_session::SessionId;
use zbus_secret_service_keyring_store::Store;

use super::collections::{Attributes, Collections};
use super::{Backend, platform_error};
use crate::keyring::error::KeyringError;
use crate::keyring::kind::StoreKind;
use crate::keyring::name::{EntryName, Namespace};

const KIND: StoreKind = StoreKind::SecretService;

/// A connection to the Secret Service. Items carry the namespace as `service` and the session's id
/// as `username`; both are readable while locked, and neither is a secret.
pub(super) struct SecretService {
    look: Collections,
    /// Connected at the first use, because connecting opens a session at the service and has no
    /// timeout, whereas a look has one.
    store: Option<Connected>,
}

/// The store, and whom on the bus it has its session with: that ends with the service, though a
/// service that was started again answers every look.
struct Connected {
    owner: String,
    store: Arc<Store>,
}

impl SecretService {
    pub(super) fn connect() -> Result<Self, KeyringError> {
        Ok(Self { look: Collections::connect()?, store: None })
    }

    /// The store; ask it nothing before a look has said that it will not prompt.
    fn store(&mut self) -> Result<&Store, KeyringError> {
        let owner = self.look.owner()?;
        let connected = match self.store.take() {
            Some(connected) if connected.owner == owner => connected,
            _ => {
                let store = Store::new().map_err(|e| platform_error(KIND, &e))?;
                Connected { owner, store }
            }
        };
        Ok(&self.store.insert(connected).store)
    }

    fn item(&mut self, name: EntryName<'_>, label: Option<&str>) -> Result<Item, KeyringError> {
        let label = label.map(|label| HashMap::from([("label", label)]));
        self.store()?
            .build(name.namespace.as_str(), name.id.as_str(), label.as_ref())
            .map_err(|e| platform_error(KIND, &e))
    }

    fn search(&mut self, attributes: &Attributes<'_>) -> Result<Vec<Item>, KeyringError> {
        self.store()?.search(attributes).map_err(|e| platform_error(KIND, &e))
    }
}

impl Backend for SecretService {
    fn check(&mut self, interactive: bool) -> Result<(), KeyringError> {
        if interactive { self.look.unlock_default() } else { self.look.default_is_open() }
    }

    fn put(&mut self, name: EntryName<'_>, label: &str, secret: &[u8]) -> Result<(), KeyringError> {
        self.look.default_is_open()?;
        self.look.count(&attributes(&name))?;
        let item = self.item(name, Some(label))?;
        item.set_secret(secret).map_err(|e| platform_error(KIND, &e))
    }

    fn get(&mut self, name: EntryName<'_>) -> Result<Option<SecretBytes>, KeyringError> {
        match self.look.count(&attributes(&name))? {
            0 => Ok(None),
            1 => {
                let secret = self.item(name, None)?.get_secret();
                secret
                    .map(|bytes| Some(SecretBytes::from(bytes)))
                    .map_err(|e| platform_error(KIND, &e))
            }
            _ => Err(KeyringError::Damaged {
                kind: KIND,
                id: name.id.clone(),
                cause: "there are several of that name",
            }),
        }
    }

    fn delete(&mut self, name: EntryName<'_>) -> Result<(), KeyringError> {
        if self.look.count(&attributes(&name))? == 0 {
            return Ok(());
        }
        for item in self.search(&attributes(&name))? {
            match item.delete_credential() {
                Ok(()) | Err(Error::NoEntry) => {}
                Err(e) => return Err(platform_error(KIND, &e)),
            }
        }
        Ok(())
    }

    fn names(&mut self, namespace: &Namespace) -> Result<Option<Vec<SessionId>>, KeyringError> {
        self.look.all_are_open()?;
        let ours = HashMap::from([("service", namespace.as_str())]);
        let items = self.search(&ours)?;
        let id = |item: Item| item.get_specifiers().and_then(|(_, id)| SessionId::parse(&id));
        let mut ids: Vec<_> = items.into_iter().filter_map(id).collect();
        ids.sort();
        ids.dedup();
        Ok(Some(ids))
    }
}

fn attributes<'a>(name: &EntryName<'a>) -> Attributes<'a> {
    HashMap::from([("service", name.namespace.as_str()), ("username", name.id.as_str())])
}
