//! A notification server of our own making: remembers what it is to show.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use zbus::blocking::{Connection, MessageIterator, connection};
use zbus::message::Type;
use zbus::zvariant::OwnedValue;

use crate::bus::Bus;

const BUS_NAME: &str = "org.freedesktop.Notifications";

/// One that is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bubble {
    /// Its number.
    pub id: u32,
    /// Its title.
    pub summary: String,
    /// Its text.
    pub body: String,
}

#[derive(Debug, Default)]
struct State {
    shown: Vec<Bubble>,
    calls: usize,
    last: u32,
}

/// The server of a bus.
#[derive(Debug)]
pub struct NotificationServer {
    state: Arc<Mutex<State>>,
    gate: Arc<Mutex<()>>,
    _bus: Connection,
}

impl NotificationServer {
    /// Claims the name.
    ///
    /// # Panics
    /// If the bus does not have it.
    #[must_use]
    pub fn start(on: &Bus) -> Self {
        let bus = connection::Builder::address(on.address().as_str())
            .and_then(connection::Builder::build)
            .expect("the bus serves");
        let messages = MessageIterator::from(&bus);
        bus.request_name(BUS_NAME).expect("nobody else has it");
        let (state, gate) = (Arc::<Mutex<State>>::default(), Arc::<Mutex<()>>::default());
        let (answering, shown, closed) = (bus.clone(), state.clone(), gate.clone());
        thread::spawn(move || {
            for message in messages.flatten() {
                let header = message.header();
                if header.message_type() != Type::MethodCall {
                    continue;
                }
                held(&shown).calls += 1;
                drop(held(&closed));
                let mut state = held(&shown);
                let member = header.member().map(|name| name.to_string()).unwrap_or_default();
                // Whoever asked may have gone.
                let _ = match member.as_str() {
                    "Notify" => answering.reply(&header, &state.notify(&message)),
                    "CloseNotification" => {
                        let id: u32 = message.body().deserialize().expect("it is a number");
                        state.shown.retain(|bubble| bubble.id != id);
                        answering.reply(&header, &())
                    }
                    other => panic!("the daemon is not to call {other}"),
                };
            }
        });
        Self { state, gate, _bus: bus }
    }

    /// What is to be seen now.
    #[must_use]
    pub fn shown(&self) -> Vec<Bubble> {
        held(&self.state).shown.clone()
    }

    /// How often it was called.
    #[must_use]
    pub fn calls(&self) -> usize {
        held(&self.state).calls
    }

    /// Answers nobody as long as this lives.
    pub fn freeze(&self) -> MutexGuard<'_, ()> {
        held(&self.gate)
    }
}

impl State {
    fn notify(&mut self, message: &zbus::Message) -> u32 {
        type Wanted =
            (String, u32, String, String, String, Vec<String>, HashMap<String, OwnedValue>, i32);
        let (_, replaces, _, summary, body, _, _, _): Wanted =
            message.body().deserialize().expect("it is of this form");
        self.shown.retain(|bubble| bubble.id != replaces);
        self.last += 1;
        let id = if replaces == 0 { self.last } else { replaces };
        self.shown.push(Bubble { id, summary, body });
        id
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
