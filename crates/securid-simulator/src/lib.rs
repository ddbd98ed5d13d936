//! A server that behaves as the remote API is documented to (`docs/api.md`), over TLS with a private
//! CA of its own, which knows the ground truth and can be told to misbehave while it runs.
//!
//! It is used as a library by tests ([`Simulator`] works from synchronous code), by the demo, and by
//! hand through the program `securid-simulator`.
//!
//! ```
//! use securid_simulator::{Fault, Options, Simulator};
//!
//! # fn main() -> std::io::Result<()> {
//! let simulator = Simulator::start(Options::default())?;
//! let token = simulator.issue("alice");
//! simulator.set_fault(Some(Fault::CaptivePortal));
//! // … let a client at `simulator.url()`, trusting `simulator.ca_pem()` …
//! assert_eq!(simulator.truth().alive(), [token]);
//! # Ok(())
//! # }
//! ```
//!
//! The house, from the front door inwards:
//!
//! - [`Simulator`], [`Options`] (`simulator`): the handle; a thread with a runtime of its own.
//! - `server`, `gate`: the listener, and how the fault `down` takes it away and brings it back.
//! - `connection`, `wire`: one connection, and how it is reset instead of closed.
//! - `answer`: one request: control, fault or command. `call` is what was asked, `reply` and `body`
//!   what is answered.
//! - `commands`: what the documentation says, one file a command; `login_body` reads the XML fragments.
//! - [`Fault`] (`fault`), `switches`, `misbehave`, [`Echo`] (`echo`): the faults, which of them are on, what they do.
//! - `control`: `/truth`, `/fault`, `/latency`, `/issue`, `/expire`.
//! - [`Truth`] (`truth`), `ledger`: what really happened.
//! - [`Handshake`] (`certificates`): the private CA of two levels, what the server shows for itself, and whether clients
//!   have to.
//! - `duration`: `250ms`.
//!
//! What is an assumption rather than documented: a refused login answers `401` with a page that does
//! *not* have the words of the dead token's page; `getLoginInstructions` answers plain text whatever
//! the format; a logout without `Accept: application/json` answers `406`.

mod answer;
mod body;
mod call;
mod certificates;
mod commands;
mod connection;
mod control;
mod duration;
mod echo;
mod fault;
mod gate;
mod ledger;
mod login_body;
mod misbehave;
mod reply;
mod server;
mod simulator;
mod switches;
mod truth;
mod wire;

pub use certificates::{Chain, ClientCertificate, Handshake, NAME, Validity};
pub use duration::{ParseDurationError, parse_duration};
pub use echo::Echo;
pub use fault::{Fault, ParseFaultError};
pub use simulator::{Options, Simulator};
pub use truth::{BodyTruth, EndedBy, TokenTruth, Truth};
