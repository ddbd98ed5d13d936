//! A look at the Secret Service that never prompts, and the one prompt that we open on purpose.
//!
//! The store crate unlocks by itself whatever it finds locked, which opens a prompt and waits for a
//! person for ever. So before each use of it we look here whether there is anything to unlock.

use std::collections::HashMap;
use std::io;
use std::time::Duration;

use serde::{Serialize, de::DeserializeOwned};
use zbus::blocking::{Connection, MessageIterator, connection};
use zbus::zvariant::{DynamicType, ObjectPath, OwnedObjectPath, OwnedValue, Type};

use crate::keyring::error::KeyringError;
use crate::keyring::kind::StoreKind;

const KIND: StoreKind = StoreKind::SecretService;
/// The bus itself, which answers calls as well.
const BUS: &str = "org.freedesktop.DBus";
const BUS_NAME: &str = "org.freedesktop.secrets";
const SERVICE: &str = "/org/freedesktop/secrets";
/// The path that stands for "none" in the Secret Service's answers.
const NONE: &str = "/";

/// How long one D-Bus call may take. Less than the 3 s that `auto` grants the Secret Service, so that
/// a frozen service gives an error and not a stuck thread; a warm answer takes a millisecond.
const METHOD_TIMEOUT: Duration = Duration::from_millis(2500);

/// What to search for.
pub(super) type Attributes<'a> = HashMap<&'a str, &'a str>;

/// Our own connection to the bus, for looking only.
pub(super) struct Collections {
    bus: Connection,
}

impl Collections {
    pub(super) fn connect() -> Result<Self, KeyringError> {
        connection::Builder::session()
            .and_then(|builder| builder.method_timeout(METHOD_TIMEOUT).build())
            .map(|bus| Self { bus })
            .map_err(|e| failure(&e))
    }

    /// Whether new items can be stored: there is a default collection and it is unlocked.
    pub(super) fn default_is_open(&self) -> Result<(), KeyringError> {
        let collection = self.default()?;
        if self.is_locked(&collection)? {
            return Err(KeyringError::locked(KIND, "the default collection is locked"));
        }
        Ok(())
    }

    /// Whether a search would find everything that there is: no collection is locked.
    pub(super) fn all_are_open(&self) -> Result<(), KeyringError> {
        self.default_is_open()?;
        let name = ("org.freedesktop.Secret.Service", "Collections");
        let value: OwnedValue = self.call(SERVICE, PROPERTIES, "Get", &name)?;
        let all = Vec::<OwnedObjectPath>::try_from(value).map_err(|e| failure(&e.into()))?;
        for collection in all {
            if self.is_locked(&collection)? {
                return Err(KeyringError::locked(KIND, format!("{} is locked", *collection)));
            }
        }
        Ok(())
    }

    /// How many items there are. If one of them is locked, or if there is none and it might be in a
    /// locked collection, that is an error: "locked" is never "absent".
    pub(super) fn count(&self, attributes: &Attributes<'_>) -> Result<usize, KeyringError> {
        let found = self.search(attributes)?;
        if found > 0 {
            return Ok(found);
        }
        // Some services show nothing of a locked collection, and this one may have been unlocked only
        // after the search, or be locked before the next: absent is what is not found between two
        // looks that find everything open.
        self.all_are_open()?;
        let found = self.search(attributes)?;
        if found == 0 {
            self.all_are_open()?;
        }
        Ok(found)
    }

    fn search(&self, attributes: &Attributes<'_>) -> Result<usize, KeyringError> {
        let (unlocked, locked): (Vec<OwnedObjectPath>, Vec<OwnedObjectPath>) =
            self.call(SERVICE, "org.freedesktop.Secret.Service", "SearchItems", attributes)?;
        if locked.is_empty() {
            Ok(unlocked.len())
        } else {
            Err(KeyringError::locked(KIND, "the entry is in a locked collection"))
        }
    }

    /// Unlocks the default collection: asks a person if need be, and waits for the answer.
    pub(super) fn unlock_default(&self) -> Result<(), KeyringError> {
        let collection = self.default()?;
        if !self.is_locked(&collection)? {
            return Ok(());
        }
        let (_, prompt): (Vec<OwnedObjectPath>, OwnedObjectPath) =
            self.call(SERVICE, "org.freedesktop.Secret.Service", "Unlock", &vec![&collection])?;
        if prompt.as_str() != NONE {
            self.show(&prompt)?;
        }
        self.default_is_open()
    }

    /// Who on the bus is the Secret Service now: another one after a restart, which knows nothing of
    /// what was agreed with the one before.
    pub(super) fn owner(&self) -> Result<String, KeyringError> {
        let reply = self.ask_bus("GetNameOwner", BUS_NAME)?;
        reply.body().deserialize().map_err(|e| failure(&e))
    }

    fn default(&self) -> Result<OwnedObjectPath, KeyringError> {
        let path: OwnedObjectPath =
            self.call(SERVICE, "org.freedesktop.Secret.Service", "ReadAlias", &"default")?;
        if path.as_str() == NONE {
            let cause = "there is no default collection; make one in your keyring manager";
            return Err(KeyringError::unavailable(KIND, cause));
        }
        Ok(path)
    }

    fn is_locked(&self, collection: &ObjectPath<'_>) -> Result<bool, KeyringError> {
        let name = ("org.freedesktop.Secret.Collection", "Locked");
        let value: OwnedValue = self.call(collection, PROPERTIES, "Get", &name)?;
        bool::try_from(value).map_err(|e| failure(&e.into()))
    }

    /// Shows a prompt and waits until it is answered, however long its person takes; or until the
    /// service ends, which takes its prompt with it and answers nobody.
    ///
    /// The prompt is never taken away again: gnome-keyring 42 aborts on `Dismiss` (in
    /// `perform_next_unlock`), and an answer that comes late unlocks the keyring all the same.
    fn show(&self, prompt: &OwnedObjectPath) -> Result<(), KeyringError> {
        // Before the prompt is shown, or the answer could be missed.
        let heard = MessageIterator::from(&self.bus);
        let path = prompt.as_str();
        for rule in [
            format!("type='signal',sender='{BUS_NAME}',path='{path}',member='Completed'"),
            format!("type='signal',sender='{BUS}',member='NameOwnerChanged',arg0='{BUS_NAME}'"),
        ] {
            self.ask_bus("AddMatch", &rule)?;
        }
        self.call::<()>(path, "org.freedesktop.Secret.Prompt", "Prompt", &"")?;
        for message in heard {
            let message = message.map_err(|e| failure(&e))?;
            match message.header().member().map(|member| member.as_str()) {
                Some("Completed") => {
                    let (dismissed, _): (bool, OwnedValue) =
                        message.body().deserialize().map_err(|e| failure(&e))?;
                    let turned_away = "the unlock prompt was not answered";
                    return if dismissed {
                        Err(KeyringError::locked(KIND, turned_away))
                    } else {
                        Ok(())
                    };
                }
                Some("NameOwnerChanged") => break,
                // Answers to the calls above, and what the bus tells everybody.
                _ => {}
            }
        }
        Err(KeyringError::unavailable(KIND, "it ended while its unlock prompt was open"))
    }

    fn ask_bus(&self, method: &str, about: &str) -> Result<zbus::Message, KeyringError> {
        self.bus
            .call_method(Some(BUS), "/org/freedesktop/DBus", Some(BUS), method, &about)
            .map_err(|e| failure(&e))
    }

    fn call<R: DeserializeOwned + Type>(
        &self,
        path: &str,
        interface: &str,
        method: &str,
        body: &(impl Serialize + DynamicType),
    ) -> Result<R, KeyringError> {
        self.bus
            .call_method(Some(BUS_NAME), path, Some(interface), method, body)
            .and_then(|reply| reply.body().deserialize::<R>())
            .map_err(|e| failure(&e))
    }
}

const PROPERTIES: &str = "org.freedesktop.DBus.Properties";

fn failure(error: &zbus::Error) -> KeyringError {
    match error {
        zbus::Error::InputOutput(e) if e.kind() == io::ErrorKind::TimedOut => {
            KeyringError::unresponsive(KIND, "no answer over D-Bus")
        }
        zbus::Error::MethodError(name, ..) if *name == "org.freedesktop.Secret.Error.IsLocked" => {
            KeyringError::locked(KIND, "the collection is locked")
        }
        other => KeyringError::unavailable(KIND, other.to_string()),
    }
}
