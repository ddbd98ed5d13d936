//! The protocol between `securid-sessiond` and its clients: JSON-RPC 2.0, one message a line, over
//! a Unix socket or a named pipe that only its owner can reach.
//!
//! A map, from the wire upwards:
//!
//! - [`duration`] and [`secret`]: how a span of time and a token are written;
//! - [`messages`]: every call with its parameters, every result, every error;
//! - [`envelope`]: what JSON-RPC puts around them, and the greeting `daemon.hello`;
//! - [`framing`]: lines of bounded length in buffers that are wiped;
//! - [`paths`]: where config, records and sockets are looked for; [`home`]: in whose home;
//! - `endpoint`: socket and pipe, from both sides, each system's in files of its own;
//! - [`daemon_log`]: the log in the state folder;
//! - [`config_view`]: the config as the daemon's program shows it; [`checks`]: what `doctor` finds out;
//! - [`panics`]: how both programs end on an error of our own;
//! - `client` (feature `client`): a blocking client that never waits without a limit;
//! - `server` (feature `server`): listener and connections on tokio, above one `Service`;
//! - `misuse` (feature `command-line`): what is said of a command line that makes no sense;
//! - `schema` (feature `schema`): how JSON Schema tells what the types alone do not;
//! - `fuzz`: what must hold for any bytes, for the fuzzer and the tests alone.
//!
//! The crate knows nothing of keyrings, records or the remote server: it carries words.

pub mod checks;
pub mod config_view;
pub mod daemon_log;
pub mod duration;
pub mod envelope;
pub mod framing;
pub mod home;
pub mod messages;
pub mod panics;
pub mod paths;

#[cfg(feature = "client")]
pub mod client;
#[cfg(feature = "command-line")]
pub mod misuse;
#[cfg(feature = "server")]
pub mod server;

#[cfg(feature = "schema")]
mod schema;

#[cfg(any(feature = "client", feature = "server"))]
mod endpoint;

#[cfg(all(any(fuzzing, test), feature = "client"))]
#[doc(hidden)]
pub mod fuzz;

/// The number of the protocol that this crate speaks. Within one number things are only added, so
/// client and daemon agree exactly if their numbers are equal.
pub const PROTOCOL: u32 = 1;

/// The version of this build, as `daemon.hello` and `--version` tell it.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
