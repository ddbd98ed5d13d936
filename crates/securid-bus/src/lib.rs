//! Connections to D-Bus on which every call has a deadline, over libdbus.
//!
//! - `address`: where a [`Bus`] is
//! - `coming`: [`Coming`], by which one that is not there yet is found
//! - `line`: what both kinds of connection do the same way
//! - [`blocking`]: a connection for a thread that can be spared
//! - `connection`: [`Connection`], for tasks; it has no thread of its own
//! - [`reading`]: what a message says, if it is of the form that was agreed
//! - `error`: what can go wrong
//!
//! Of libdbus the lowest floor alone is used: it frames and checks messages, and knows of no loop, no
//! signal handlers and no connections that are shared. It does not end the process when a bus goes, and
//! starts no bus.
//!
//! Elsewhere than on Linux the crate is empty.

#![cfg(target_os = "linux")]

mod address;
pub mod blocking;
mod coming;
mod connection;
mod error;
mod line;
pub mod reading;

pub use address::Bus;
pub use coming::Coming;
pub use connection::Connection;
pub use dbus::arg::{OwnedFd, PropMap, RefArg, Variant};
pub use dbus::{Message, Path};
pub use error::Error;

/// The bus itself, which answers calls as well.
pub const BUS: &str = "org.freedesktop.DBus";

/// Where the bus answers.
pub const BUS_PATH: &str = "/org/freedesktop/DBus";

/// The interface of properties.
pub const PROPERTIES: &str = "org.freedesktop.DBus.Properties";

/// A call without arguments yet; they are appended to it.
///
/// # Panics
/// If `to`, `interface` or `method` is no name of its kind: only names from the program's text belong here,
/// and those that came over a bus.
#[must_use]
pub fn call(to: &str, at: &Path<'_>, interface: &str, method: &str) -> Message {
    Message::method_call(&to.into(), at, &interface.into(), &method.into())
}

/// A call of the bus itself.
#[must_use]
pub fn call_of_bus(method: &str) -> Message {
    call(BUS, &BUS_PATH.into(), BUS, method)
}
