//! The web service of RSA Governance & Lifecycle, as far as a session token goes: it is made by
//! `loginUser` and dies by `logoutUser`. This crate knows nothing of daemons, sessions or sockets.
//!
//! A map of the house:
//!
//! - [`Token`] is the secret, wiped when the last copy of it is dropped.
//! - [`Endpoint`] is the one address that a token may be sent to; [`Format`] is how replies look.
//! - [`Client`] sends the commands. Behind it `transport` makes one exchange within its
//!   deadline, on a connection that is there or a new one. `conversation` is the exchange proper: `asking` sees to it
//!   that what is read is an answer to what was asked, for which it looks at the `stream` (`sockets` has what differs from system to system), and `kept` holds
//!   the connections that may be used again, each for a request of the next `turn`. `fault` says what went wrong with
//!   an exchange (`causes` looks behind the libraries' errors), `answer` what is wrong with an answer, both as a
//!   [`Failure`] for a person to read.
//! - [`Access`] is what it takes to get to a server. `way` reaches it (`names` knows its addresses, by `looks` that are shared, `dial` tries them),
//!   straight or by `tunnel` through one of the
//!   [`Proxies`], whose `proxy_password` may be in a file (and is not sent again and again, `proxy_refusals`); `handshake` makes sure that it is the server, with those whom
//!   `tls` trusts (`vouching` is theirs), and shows it our `identity`. `meeting` and `issuer` know afterwards why that failed, and `tls_words`
//!   says it. `files` says whose the files for all this have to be, `pem` reads them, `beside` the runtime.
//! - Any other [`Command`] gets a [`Line`] of its own, on which body and answer are streams (`exchange`, `outgoing`); `leak`
//!   sees to it that no answer carries the token out.
//! - `confirmation` holds [`judge`]: which replies say that a token is dead. All else hangs on
//!   it. It stands on `syntax`, the three forms of a reply; both are pure, as is `date`.
//! - `login` and `logout` are the two commands: what is sent, and what the answer means; `instructions` is what a
//!   server wants a person to know before.
//! - [`Survey`] is a look at all of that, step by step, without a token; [`Certificate`] is what a certificate says of itself,
//!   read by `validity` and `issuer`.
//! - `fuzz`, for the fuzzer and the tests alone, says what must hold for any answer.
//!
//! No error, message or `Debug` of this crate shows a token or a password. What a server said is quoted by
//! `words`: shortened, without what a terminal obeys, and not at all if it repeats a part of what it was sent,
//! in whatever form (`echo`).

mod access;
mod answer;
mod asking;
mod beside;
mod causes;
mod certificate;
mod client;
mod command;
mod confirmation;
mod conversation;
mod date;
mod dial;
mod echo;
mod endpoint;
mod exchange;
mod failure;
mod fault;
mod files;
mod format;
#[cfg(any(fuzzing, test))]
#[doc(hidden)]
pub mod fuzz;
mod handshake;
mod identity;
mod instructions;
mod issuer;
mod kept;
mod leak;
mod login;
mod logout;
mod looks;
mod meeting;
mod names;
mod outgoing;
mod pem;
mod proxy;
mod proxy_password;
mod proxy_refusals;
mod retry_after;
mod sockets;
mod stream;
mod survey;
mod syntax;
mod tls;
mod tls_words;
mod token;
mod transport;
mod tunnel;
mod turn;
mod validity;
mod vouching;
mod way;
mod words;

pub use access::{Access, ClientFiles, ProxySettings};
pub use certificate::Certificate;
pub use client::Client;
pub use command::{BadCommand, Command};
pub use confirmation::{Confirmed, MAX_REPLY, judge};
pub use endpoint::{BadUrl, Endpoint};
pub use exchange::{Answering, Asked, Line, Progress, Refused, Reply};
pub use failure::{Failure, FailureKind};
pub use files::BadFile;
pub use format::Format;
pub use login::{AssertionRequest, LoginError, LoginRequest};
pub use logout::{Confirmation, LogoutReply};
pub use outgoing::Part;
pub use proxy::{BadProxy, NO_PROXY, Proxies, WrongProxy};
pub use retry_after::RETRY_AFTER_MAX;
pub use survey::{Answered, ProxyOnTheWay, Secured, Survey};
pub use tls::SetupError;
pub use token::{BadToken, Token};
