//! A look at the Secret Service that never prompts, and the one prompt that we open on purpose.
//!
//! The store crate unlocks by itself whatever it finds locked, which opens a prompt and waits for a
//! person for ever. So before each use of it we look here whether there is anything to unlock.

use std::collections::HashMap;
use std::io;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use serde::{Serialize, de::DeserializeOwned};
use zbus::blocking::{Connection, Proxy, connection, proxy};
use zbus::proxy::CacheProperties;
use zbus::zvariant::{DynamicType, ObjectPath, OwnedObjectPath, OwnedValue, Type};

use crate::keyring::error::KeyringError;
use crate::keyring::kind::StoreKind;

const KIND: StoreKind = StoreKind::SecretService;
const BUS_NAME: &str = "org.freedesktop.secrets";
const SERVICE: &str = "/org/freedesktop/secrets";
/// The path that stands for "none" in the Secret Service's answers.
const NONE: &str = "/";

/// How long one D-Bus call may take. Less than the 3 s that `auto` grants the Secret Service, so that
/// a frozen service gives an error and not a stuck thread; a warm answer takes a millisecond.
const METHOD_TIMEOUT: Duration = Duration::from_millis(2500);

/// How long a person has to answer the prompt: a little less than the 60 s that the caller waits, so
/// that the prompt goes away with the caller and not after him.
const PROMPT_PATIENCE: Duration = Duration::from_secs(50);

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
        let (unlocked, locked): (Vec<OwnedObjectPath>, Vec<OwnedObjectPath>) =
            self.call(SERVICE, "org.freedesktop.Secret.Service", "SearchItems", attributes)?;
        if !locked.is_empty() {
            return Err(KeyringError::locked(KIND, "the entry is in a locked collection"));
        }
        if unlocked.is_empty() {
            self.all_are_open()?;
        }
        Ok(unlocked.len())
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

    /// Shows a prompt and waits until it is answered; takes it away when patience is over.
    fn show(&self, prompt: &ObjectPath<'_>) -> Result<(), KeyringError> {
        let prompt: Proxy<'static> = proxy::Builder::new(&self.bus)
            .destination(BUS_NAME)
            .and_then(|b| b.path(prompt.to_owned()))
            .and_then(|b| b.interface("org.freedesktop.Secret.Prompt"))
            .and_then(|b| b.cache_properties(CacheProperties::No).build())
            .map_err(|e| failure(&e))?;
        // Before the prompt is shown, or the answer could be missed.
        let mut completed = prompt.receive_signal("Completed").map_err(|e| failure(&e))?;
        prompt.call_method("Prompt", &"").map_err(|e| failure(&e))?;

        let (answered, patience) = mpsc::channel::<()>();
        let bus = self.bus.clone();
        let watch = move || {
            if patience.recv_timeout(PROMPT_PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
                // Either ends the wait below: the signal that follows, or the end of the bus.
                let _ = prompt.call_method("Dismiss", &());
                let _ = bus.close();
            }
        };
        thread::Builder::new()
            .name("keyring-patience".to_owned())
            .spawn(watch)
            .map_err(|e| KeyringError::unavailable(KIND, format!("no thread to be had: {e}")))?;
        let answer = completed.next();
        drop(answered);

        let dismissed = answer
            .and_then(|signal| signal.body().deserialize::<(bool, OwnedValue)>().ok())
            .is_none_or(|(dismissed, _)| dismissed);
        if dismissed {
            return Err(KeyringError::locked(KIND, "the unlock prompt was not answered"));
        }
        Ok(())
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
