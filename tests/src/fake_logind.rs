//! A logind of our own making: what of `org.freedesktop.login1` the daemon has to do with. It shuts
//! nothing down; it says so, and remembers who wanted to be waited for.

use std::collections::HashMap;
use std::io::PipeReader;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use zbus::blocking::{Connection, MessageIterator, connection};
use zbus::message::{Header, Type};
use zbus::zvariant::{Fd, ObjectPath, OwnedFd, Value};

use crate::bus::Bus;

const BUS_NAME: &str = "org.freedesktop.login1";
const PATH: &str = "/org/freedesktop/login1";
const MANAGER: &str = "org.freedesktop.login1.Manager";
const SESSION: &str = "org.freedesktop.login1.Session";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";

/// A session of logind.
#[derive(Debug, Clone)]
pub struct Screen {
    /// Its name.
    pub id: &'static str,
    /// Whose it is.
    pub uid: u32,
    /// `x11`, `wayland`, `tty`, …
    pub kind: &'static str,
    /// `user`, `greeter`, …
    pub class: &'static str,
    /// Its `LockedHint`.
    pub locked: bool,
}

impl Screen {
    /// A graphical session of our own.
    #[must_use]
    pub fn ours(id: &'static str) -> Self {
        let uid = rustix::process::geteuid().as_raw();
        Self { id, uid, kind: "wayland", class: "user", locked: false }
    }
}

/// An inhibitor that was given out.
#[derive(Debug)]
struct Inhibitor {
    what: String,
    mode: String,
    end: PipeReader,
}

#[derive(Debug, Default)]
struct State {
    screens: Vec<Screen>,
    shutdown: bool,
    sleep: bool,
    inhibitors: Vec<Inhibitor>,
    refuses: bool,
}

/// A logind on a bus. Dropped, it is gone, as at a restart.
#[derive(Debug)]
pub struct FakeLogind {
    bus: Connection,
    state: Arc<Mutex<State>>,
    /// Whoever has it keeps the fake from answering.
    gate: Arc<Mutex<()>>,
}

impl FakeLogind {
    /// Claims logind's name.
    ///
    /// # Panics
    /// If the bus does not have it.
    #[must_use]
    pub fn start(on: &Bus, screens: &[Screen]) -> Self {
        let bus = connection::Builder::address(on.address().as_str())
            .and_then(connection::Builder::build)
            .expect("the bus serves");
        let state = State { screens: screens.to_vec(), ..State::default() };
        let fake = Self { bus, state: Arc::new(Mutex::new(state)), gate: Arc::default() };
        let messages = MessageIterator::from(&fake.bus);
        fake.bus.request_name(BUS_NAME).expect("nobody else has it");
        let (state, gate, bus) = (fake.state.clone(), fake.gate.clone(), fake.bus.clone());
        thread::spawn(move || {
            for message in messages.flatten() {
                let header = message.header();
                if header.message_type() == Type::MethodCall {
                    drop(held(&gate));
                    answer(&bus, &mut held(&state), &header, &message);
                }
            }
        });
        fake
    }

    /// Announces a shutdown, or calls it off.
    pub fn prepare_for_shutdown(&self, begins: bool) {
        held(&self.state).shutdown = begins;
        self.emit(PATH, MANAGER, "PrepareForShutdown", &begins);
    }

    /// Announces sleep, or tells that it is over.
    pub fn prepare_for_sleep(&self, begins: bool) {
        held(&self.state).sleep = begins;
        self.emit(PATH, MANAGER, "PrepareForSleep", &begins);
    }

    /// Tells a session to lock its screen, as `loginctl lock-session` does.
    pub fn lock(&self, id: &str) {
        self.emit(&path(id), SESSION, "Lock", &());
    }

    /// Says that a session's screen is locked, or is not, as its desktop tells logind.
    ///
    /// # Panics
    /// If there is no such session.
    pub fn hint(&self, id: &str, locked: bool) {
        let mut state = held(&self.state);
        let screen = state.screens.iter_mut().find(|screen| screen.id == id);
        screen.expect("there is such a session").locked = locked;
        let changed = HashMap::from([("LockedHint", Value::from(locked))]);
        drop(state);
        let body = (SESSION, changed, Vec::<&str>::new());
        self.emit(&path(id), PROPERTIES, "PropertiesChanged", &body);
    }

    /// How many inhibitors for this are open now.
    #[must_use]
    pub fn inhibitors(&self, what: &str) -> usize {
        let state = held(&self.state);
        let of_kind = state.inhibitors.iter().filter(|i| i.what == what && i.mode == "delay");
        of_kind.filter(|inhibitor| is_open(&inhibitor.end)).count()
    }

    /// How many were ever given out, whatever for.
    #[must_use]
    pub fn given_out(&self) -> usize {
        held(&self.state).inhibitors.len()
    }

    /// From now on inhibitors are refused, or given out again.
    pub fn refuse_inhibitors(&self, refuses: bool) {
        held(&self.state).refuses = refuses;
    }

    /// Answers nobody as long as this lives.
    pub fn freeze(&self) -> MutexGuard<'_, ()> {
        held(&self.gate)
    }

    /// Whoever else is on the bus.
    ///
    /// # Panics
    /// If the bus does not say.
    #[must_use]
    pub fn listeners(&self) -> Vec<String> {
        let bus = "org.freedesktop.DBus";
        let names = self.bus.call_method(Some(bus), "/", Some(bus), "ListNames", &());
        let names = names.expect("the bus serves");
        let mut names: Vec<String> = names.body().deserialize().expect("they are names");
        let us = self.bus.unique_name().map(|name| name.to_string());
        names.retain(|name| name.starts_with(':') && Some(name) != us.as_ref());
        names
    }

    /// Gives logind's name back, as at a restart. What it gave out is void.
    pub fn stop(&self) {
        self.bus.release_name(BUS_NAME).expect("the bus serves");
        held(&self.state).inhibitors.clear();
    }

    fn emit(
        &self,
        path: &str,
        interface: &str,
        signal: &str,
        body: &(impl serde::Serialize + zbus::zvariant::DynamicType),
    ) {
        let sent = self.bus.emit_signal(None::<&str>, path, interface, signal, body);
        sent.expect("the bus serves");
    }
}

fn answer(bus: &Connection, state: &mut State, header: &Header<'_>, message: &zbus::Message) {
    let member = header.member().map(|name| name.to_string()).unwrap_or_default();
    let at = header.path().map(|path| path.to_string()).unwrap_or_default();
    let sent = match member.as_str() {
        "Inhibit" if state.refuses => {
            bus.reply_error(header, "org.freedesktop.DBus.Error.AccessDenied", &"no")
        }
        "Inhibit" => {
            let (what, _, _, mode): (String, String, String, String) =
                message.body().deserialize().expect("it is of this form");
            let (end, other) = std::io::pipe().expect("there are descriptors");
            state.inhibitors.push(Inhibitor { what, mode, end });
            bus.reply(header, &Fd::from(OwnedFd::from(std::os::fd::OwnedFd::from(other))))
        }
        "ListSessions" => {
            let listed: Vec<_> = state.screens.iter().map(listed).collect();
            bus.reply(header, &listed)
        }
        "Get" => {
            let (_, name): (String, String) = message.body().deserialize().expect("it is a name");
            let value = if name.ends_with("Shutdown") { state.shutdown } else { state.sleep };
            bus.reply(header, &Value::from(value))
        }
        "GetAll" => match state.screens.iter().find(|screen| path(screen.id) == at) {
            Some(screen) => bus.reply(header, &properties(screen)),
            None => bus.reply_error(header, "org.freedesktop.DBus.Error.UnknownObject", &"gone"),
        },
        other => panic!("the daemon is not to call {other}"),
    };
    // Whoever asked may have gone.
    let _ = sent;
}

fn listed(screen: &Screen) -> (String, u32, String, String, ObjectPath<'static>) {
    let path = ObjectPath::try_from(path(screen.id)).expect("it is a path");
    (screen.id.to_owned(), screen.uid, "somebody".to_owned(), "seat0".to_owned(), path)
}

fn properties(screen: &Screen) -> HashMap<&'static str, Value<'static>> {
    let user = ObjectPath::try_from(format!("{PATH}/user/_{}", screen.uid)).expect("it is a path");
    HashMap::from([
        ("User", Value::from((screen.uid, user))),
        ("Type", Value::from(screen.kind)),
        ("Class", Value::from(screen.class)),
        ("LockedHint", Value::from(screen.locked)),
    ])
}

fn path(id: &str) -> String {
    format!("{PATH}/session/{id}")
}

/// Whether the other end is open.
fn is_open(end: &PipeReader) -> bool {
    let mut ends = [PollFd::new(end, PollFlags::IN)];
    poll(&mut ends, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).expect("it is a pipe");
    !ends[0].revents().contains(PollFlags::HUP)
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
