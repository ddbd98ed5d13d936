//! A Secret Service that is unlocked, or locked, at the worst moment.
//!
//! A look at a keyring takes several calls, and a person unlocks it between any two of them. With a
//! real keyring that happens once in a lifetime; this one does it every time. Like KeePassXC, and
//! unlike gnome-keyring, it shows nothing of what is in it while it is locked.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use zbus::blocking::{Connection, MessageIterator, connection};
use zbus::message::Type;
use zbus::zvariant::{ObjectPath, OwnedObjectPath, Value};

use crate::secret_service::SecretService;

/// The service, in the place of the real one, until it is dropped. Nothing of it can be read.
#[derive(Debug)]
pub struct Fickle {
    searches: Arc<AtomicUsize>,
    bus: Connection,
}

impl Fickle {
    /// One that is locked at first. After each search it is unlocked if it was locked, and locked
    /// if it was unlocked.
    ///
    /// # Panics
    /// If another one serves on the bus.
    #[must_use]
    pub fn start(service: &SecretService) -> Self {
        let bus = connection::Builder::address(service.address().as_str())
            .and_then(|builder| builder.build())
            .expect("the bus serves");
        let messages = MessageIterator::from(&bus);
        bus.request_name("org.freedesktop.secrets").expect("nobody else has it");
        let searches = Arc::new(AtomicUsize::new(0));
        let (counter, answering) = (Arc::clone(&searches), bus.clone());
        thread::spawn(move || {
            for message in messages.flatten() {
                if message.header().message_type() == Type::MethodCall {
                    let _ = answer(&answering, &message, &counter);
                }
            }
        });
        Self { searches, bus }
    }

    /// How often it was searched.
    #[must_use]
    pub fn searches(&self) -> usize {
        self.searches.load(Ordering::Relaxed)
    }
}

impl Drop for Fickle {
    fn drop(&mut self) {
        // Its name is free at once, whenever the thread above ends.
        let _ = self.bus.clone().close();
    }
}

fn answer(bus: &Connection, call: &zbus::Message, searches: &AtomicUsize) -> zbus::Result<()> {
    let header = call.header();
    let collection = ObjectPath::from_static_str_unchecked("/org/freedesktop/secrets/collection/a");
    let item = ObjectPath::from_static_str_unchecked("/org/freedesktop/secrets/collection/a/1");
    let is_locked = searches.load(Ordering::Relaxed).is_multiple_of(2);
    match header.member().map_or("", |member| member.as_str()) {
        "ReadAlias" => bus.reply(&header, &collection),
        "Get" => {
            let (_, name): (String, String) = call.body().deserialize()?;
            let value = match name.as_str() {
                "Collections" => Value::from(vec![collection]),
                _ => Value::from(is_locked),
            };
            bus.reply(&header, &value)
        }
        "SearchItems" => {
            searches.fetch_add(1, Ordering::Relaxed);
            let unlocked = if is_locked { vec![] } else { vec![item] };
            bus.reply(&header, &(unlocked, Vec::<OwnedObjectPath>::new()))
        }
        _ => bus.reply_error(&header, "org.freedesktop.DBus.Error.NotSupported", &"not here"),
    }
}
