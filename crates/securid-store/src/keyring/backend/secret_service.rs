//! The desktop's Secret Service.
//!
//! - `collections`: looks, which never prompt, and the one prompt on purpose
//! - `session`: how secrets go over the bus
//!
//! The protocol is spoken here and not by a store crate: those unlock by themselves whatever they find
//! locked, which opens a prompt and waits for a person for ever, and none has a deadline for a call.

mod collections;
mod session;

use std::collections::HashMap;
use std::sync::Arc;

use securid_bus::{PROPERTIES, Path, PropMap, RefArg, Variant};
use securid_secret::SecretBytes;
use securid_session::SessionId;

use super::Backend;
use crate::keyring::error::KeyringError;
use crate::keyring::kind::StoreKind;
use crate::keyring::name::{EntryName, Namespace};
use collections::{Attributes, Collections, NONE, all, call, property};
use session::{Sealed, Session};

const KIND: StoreKind = StoreKind::SecretService;
const COLLECTION: &str = "org.freedesktop.Secret.Collection";
const ITEM: &str = "org.freedesktop.Secret.Item";

/// A connection to the Secret Service. Items carry the namespace as `service` and the session's id
/// as `username`; both are readable while locked, and neither is a secret.
pub(super) struct SecretService {
    look: Collections,
    /// Agreed at the first use: looks need none.
    session: Option<Agreed>,
}

/// A session, and with whom on the bus it is: it ends with the service, though a service that was started
/// again answers every look.
struct Agreed {
    owner: String,
    session: Arc<Session>,
}

impl SecretService {
    pub(super) fn connect() -> Result<Self, KeyringError> {
        Ok(Self { look: Collections::connect()?, session: None })
    }

    fn session(&mut self) -> Result<Arc<Session>, KeyringError> {
        let owner = self.look.owner()?;
        let agreed = match self.session.take() {
            Some(agreed) if agreed.owner == owner => agreed,
            _ => Agreed { owner, session: Arc::new(Session::open(&mut self.look)?) },
        };
        Ok(Arc::clone(&self.session.insert(agreed).session))
    }

    fn create(
        &mut self,
        name: &EntryName<'_>,
        label: &str,
        secret: Sealed,
    ) -> Result<(), KeyringError> {
        let collection = self.look.default()?;
        let create = call(&collection, COLLECTION, "CreateItem");
        let owned = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
        let attributes: HashMap<_, _> = attributes(name).into_iter().map(owned).collect();
        let any = |value: Box<dyn RefArg>| Variant(value);
        let properties = PropMap::from([
            (format!("{ITEM}.Label"), any(Box::new(label.to_owned()))),
            (format!("{ITEM}.Attributes"), any(Box::new(attributes))),
        ]);
        let replace = true;
        let reply = self.look.call(create.append3(properties, secret, replace))?;
        let (_, prompt): (Path<'static>, Path<'static>) = all(&reply)?;
        unprompted(&prompt)
    }

    fn delete_item(&mut self, item: &Path<'_>) -> Result<(), KeyringError> {
        let (prompt,): (Path<'static>,) = all(&self.look.call(call(item, ITEM, "Delete"))?)?;
        unprompted(&prompt)
    }

    fn id(&mut self, item: &Path<'_>) -> Result<Option<SessionId>, KeyringError> {
        let ask = call(item, PROPERTIES, "Get").append2(ITEM, "Attributes");
        let attributes: HashMap<String, String> = property(&self.look.call(ask)?)?;
        Ok(attributes.get("username").and_then(|id| SessionId::parse(id)))
    }
}

impl Backend for SecretService {
    fn check(&mut self, interactive: bool) -> Result<(), KeyringError> {
        if interactive { self.look.unlock_default() } else { self.look.default_is_open() }
    }

    fn put(&mut self, name: EntryName<'_>, label: &str, secret: &[u8]) -> Result<(), KeyringError> {
        self.look.default_is_open()?;
        let found = self.look.find(&attributes(&name))?;
        let sealed = self.session()?.seal(secret)?;
        match &found[..] {
            [] => self.create(&name, label, sealed),
            [item] => self.look.call(call(item, ITEM, "SetSecret").append1(sealed)).map(drop),
            _ => Err(several(&name)),
        }
    }

    fn get(&mut self, name: EntryName<'_>) -> Result<Option<SecretBytes>, KeyringError> {
        let found = self.look.find(&attributes(&name))?;
        let item = match &found[..] {
            [] => return Ok(None),
            [item] => item,
            _ => return Err(several(&name)),
        };
        let session = self.session()?;
        let reply = self.look.call(call(item, ITEM, "GetSecret").append1(session.path()))?;
        let (sealed,): (Sealed,) = all(&reply)?;
        session.unseal(sealed).map(Some)
    }

    fn delete(&mut self, name: EntryName<'_>) -> Result<(), KeyringError> {
        for item in self.look.find(&attributes(&name))? {
            if let Err(error) = self.delete_item(&item) {
                // Somebody else may have deleted it meanwhile; services say that in many ways.
                if self.look.find(&attributes(&name))?.contains(&item) {
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    fn names(&mut self, namespace: &Namespace) -> Result<Option<Vec<SessionId>>, KeyringError> {
        self.look.all_are_open()?;
        let ours = HashMap::from([("service", namespace.as_str())]);
        let mut ids = Vec::new();
        for item in self.look.search(&ours)? {
            match self.id(&item) {
                Ok(id) => ids.extend(id),
                // It may have been deleted meanwhile.
                Err(error) if self.look.search(&ours)?.contains(&item) => return Err(error),
                Err(_) => {}
            }
        }
        ids.sort();
        ids.dedup();
        Ok(Some(ids))
    }
}

fn attributes<'a>(name: &EntryName<'a>) -> Attributes<'a> {
    HashMap::from([("service", name.namespace.as_str()), ("username", name.id.as_str())])
}

/// What is done only after a prompt is not done: nobody is asked but on purpose.
fn unprompted(prompt: &Path<'_>) -> Result<(), KeyringError> {
    if **prompt == *NONE {
        Ok(())
    } else {
        Err(KeyringError::locked(KIND, "it wants to ask its person first"))
    }
}

fn several(name: &EntryName<'_>) -> KeyringError {
    KeyringError::Damaged {
        kind: KIND,
        id: name.id.clone(),
        cause: "there are several of that name",
    }
}
