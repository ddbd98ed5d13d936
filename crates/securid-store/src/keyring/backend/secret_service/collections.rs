//! A look at the Secret Service that never prompts, and the one prompt that we open on purpose.

use std::collections::HashMap;
use std::time::Duration;

use securid_bus::blocking::Connection;
use securid_bus::{BUS, Bus, Error, Message, PROPERTIES, Path, call_of_bus, reading};

use crate::keyring::error::KeyringError;
use crate::keyring::kind::StoreKind;

const KIND: StoreKind = StoreKind::SecretService;
const BUS_NAME: &str = "org.freedesktop.secrets";
const SERVICE: &str = "/org/freedesktop/secrets";
pub(super) const SERVICE_INTERFACE: &str = "org.freedesktop.Secret.Service";
/// The path that stands for "none" in the Secret Service's answers.
pub(super) const NONE: &str = "/";

/// How long one D-Bus call may take. Less than the 3 s that `auto` grants the Secret Service, so that
/// a frozen service gives an error and not a stuck thread; a warm answer takes a millisecond.
const METHOD_TIMEOUT: Duration = Duration::from_millis(2500);

/// What to search for.
pub(super) type Attributes<'a> = HashMap<&'a str, &'a str>;

/// The connection to the bus, and what is asked on it before anything is done.
pub(super) struct Collections {
    bus: Connection,
}

impl Collections {
    pub(super) fn connect() -> Result<Self, KeyringError> {
        let bus = Connection::open(Bus::Session, METHOD_TIMEOUT).map_err(|e| failure(&e))?;
        Ok(Self { bus })
    }

    /// Whether new items can be stored: there is a default collection and it is unlocked.
    pub(super) fn default_is_open(&mut self) -> Result<(), KeyringError> {
        let collection = self.default()?;
        if self.is_locked(&collection)? {
            return Err(KeyringError::locked(KIND, "the default collection is locked"));
        }
        Ok(())
    }

    /// Whether a search would find everything that there is: no collection is locked.
    pub(super) fn all_are_open(&mut self) -> Result<(), KeyringError> {
        self.default_is_open()?;
        let all = service_call(PROPERTIES, "Get").append2(SERVICE_INTERFACE, "Collections");
        let all: Vec<Path<'static>> = property(&self.call(all)?)?;
        for collection in all {
            if self.is_locked(&collection)? {
                return Err(KeyringError::locked(KIND, format!("{collection} is locked")));
            }
        }
        Ok(())
    }

    /// The items there are. If one of them is locked, or if there is none and it might be in a
    /// locked collection, that is an error: "locked" is never "absent".
    pub(super) fn find(
        &mut self,
        attributes: &Attributes<'_>,
    ) -> Result<Vec<Path<'static>>, KeyringError> {
        let found = self.search(attributes)?;
        if !found.is_empty() {
            return Ok(found);
        }
        // Some services show nothing of a locked collection, and this one may have been unlocked only
        // after the search, or be locked before the next: absent is what is not found between two
        // looks that find everything open.
        self.all_are_open()?;
        let found = self.search(attributes)?;
        if found.is_empty() {
            self.all_are_open()?;
        }
        Ok(found)
    }

    /// The items that can be seen now. If one of them is locked, that is an error.
    pub(super) fn search(
        &mut self,
        attributes: &Attributes<'_>,
    ) -> Result<Vec<Path<'static>>, KeyringError> {
        let search = service_call(SERVICE_INTERFACE, "SearchItems").append1(attributes);
        let (unlocked, locked): (Vec<Path<'static>>, Vec<Path<'static>>) =
            all(&self.call(search)?)?;
        if locked.is_empty() {
            Ok(unlocked)
        } else {
            Err(KeyringError::locked(KIND, "the entry is in a locked collection"))
        }
    }

    /// Unlocks the default collection: asks a person if need be, and waits for the answer.
    pub(super) fn unlock_default(&mut self) -> Result<(), KeyringError> {
        let collection = self.default()?;
        if !self.is_locked(&collection)? {
            return Ok(());
        }
        let unlock = service_call(SERVICE_INTERFACE, "Unlock").append1(vec![collection]);
        let (_, prompt): (Vec<Path<'static>>, Path<'static>) = all(&self.call(unlock)?)?;
        if *prompt != *NONE {
            self.show(&prompt)?;
        }
        self.default_is_open()
    }

    /// Who on the bus is the Secret Service now: another one after a restart, which knows nothing of
    /// what was agreed with the one before.
    pub(super) fn owner(&mut self) -> Result<String, KeyringError> {
        let (owner,) = all(&self.call(call_of_bus("GetNameOwner").append1(BUS_NAME))?)?;
        Ok(owner)
    }

    /// The collection that new items go to.
    pub(super) fn default(&mut self) -> Result<Path<'static>, KeyringError> {
        let ask = service_call(SERVICE_INTERFACE, "ReadAlias").append1("default");
        let (path,): (Path<'static>,) = all(&self.call(ask)?)?;
        if *path == *NONE {
            let cause = "there is no default collection; make one in your keyring manager";
            return Err(KeyringError::unavailable(KIND, cause));
        }
        Ok(path)
    }

    fn is_locked(&mut self, collection: &Path<'_>) -> Result<bool, KeyringError> {
        let ask = call(collection, PROPERTIES, "Get");
        let ask = ask.append2("org.freedesktop.Secret.Collection", "Locked");
        property(&self.call(ask)?)
    }

    /// Shows a prompt and waits until it is answered, however long its person takes; or until the
    /// service ends, which takes its prompt with it and answers nobody.
    ///
    /// The prompt is never taken away again: gnome-keyring 42 aborts on `Dismiss` (in
    /// `perform_next_unlock`), and an answer that comes late unlocks the keyring all the same.
    fn show(&mut self, prompt: &Path<'_>) -> Result<(), KeyringError> {
        // Before the prompt is shown, or the answer could be missed.
        for rule in [
            format!("type='signal',sender='{BUS_NAME}',path='{prompt}',member='Completed'"),
            format!("type='signal',sender='{BUS}',member='NameOwnerChanged',arg0='{BUS_NAME}'"),
        ] {
            self.bus.listen(&rule).map_err(|e| failure(&e))?;
        }
        self.call(call(prompt, "org.freedesktop.Secret.Prompt", "Prompt").append1(""))?;
        loop {
            let heard = self.bus.hear().map_err(|e| failure(&e))?;
            match heard.member().as_deref() {
                Some("Completed") => {
                    // What it has come to besides is of no use here.
                    let dismissed: Option<bool> = heard.get1();
                    let turned_away = "the unlock prompt was not answered";
                    return match dismissed {
                        Some(false) => Ok(()),
                        Some(true) => Err(KeyringError::locked(KIND, turned_away)),
                        None => Err(failure(&Error::Form("b".to_owned()))),
                    };
                }
                Some("NameOwnerChanged") => break,
                // What the bus tells everybody.
                _ => {}
            }
        }
        Err(KeyringError::unavailable(KIND, "it ended while its unlock prompt was open"))
    }

    /// Asks the service, or the bus.
    pub(super) fn call(&mut self, message: Message) -> Result<Message, KeyringError> {
        self.bus.call(message).map_err(|e| failure(&e))
    }
}

/// A call of the service itself.
pub(super) fn service_call(interface: &str, method: &str) -> Message {
    call(&SERVICE.into(), interface, method)
}

/// A call of something that the service has.
pub(super) fn call(at: &Path<'_>, interface: &str, method: &str) -> Message {
    securid_bus::call(BUS_NAME, at, interface, method)
}

/// What a reply says.
pub(super) fn all<T: reading::Tuple>(reply: &Message) -> Result<T, KeyringError> {
    reading::all(reply).map_err(|e| failure(&e))
}

/// The property in a reply.
pub(super) fn property<T: reading::Value>(reply: &Message) -> Result<T, KeyringError> {
    reading::property(reply).map_err(|e| failure(&e))
}

fn failure(error: &Error) -> KeyringError {
    match (error, error.name()) {
        (Error::Silent(_), _) => KeyringError::unresponsive(KIND, "no answer over D-Bus"),
        (_, Some("org.freedesktop.Secret.Error.IsLocked")) => {
            KeyringError::locked(KIND, "the collection is locked")
        }
        (other, _) => KeyringError::unavailable(KIND, other.to_string()),
    }
}
