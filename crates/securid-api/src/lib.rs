//! The web service of RSA Governance & Lifecycle, as far as a session token goes: it is made by
//! `loginUser` and dies by `logoutUser`. This crate knows nothing of daemons, sessions or sockets.
//!
//! A map of the house:
//!
//! - [`Token`] is the secret, wiped when the last copy of it is dropped.
//! - [`Endpoint`] is the one address that a token may be sent to; [`Format`] is how replies look.
//! - [`Client`] sends the two commands. Behind it `transport` makes one exchange within its
//!   deadline, over the TLS of `tls`; `fault` says what went wrong with an exchange, `answer` what
//!   is wrong with an answer, both as a [`Failure`] for a person to read.
//! - `confirmation` holds [`judge`]: which replies say that a token is dead. All else hangs on
//!   it. It stands on `syntax`, the three forms of a reply; both are pure.
//! - `login` and `logout` are the two commands: what is sent, and what the answer means.
//! - `fuzz`, for the fuzzer and the tests alone, says what must hold for any answer.
//!
//! No error, message or `Debug` of this crate shows a token or a password, and what a server said
//! is shortened, freed of control characters and of the secret it may echo before it is quoted.

mod answer;
mod client;
mod confirmation;
mod endpoint;
mod failure;
mod fault;
mod format;
#[cfg(any(fuzzing, test))]
#[doc(hidden)]
pub mod fuzz;
mod login;
mod logout;
mod retry_after;
mod syntax;
mod tls;
mod token;
mod transport;
mod words;

pub use client::Client;
pub use confirmation::{Confirmed, MAX_REPLY, judge};
pub use endpoint::{BadUrl, Endpoint};
pub use failure::{Failure, FailureKind};
pub use format::Format;
pub use login::{LoginError, LoginRequest};
pub use logout::{Confirmation, LogoutReply};
pub use retry_after::RETRY_AFTER_MAX;
pub use tls::SetupError;
pub use token::{BadToken, Token};
