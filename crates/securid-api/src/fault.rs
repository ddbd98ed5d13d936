//! What went wrong with an exchange, read off the errors of hyper and the system.

use std::error::Error;
use std::io;
use std::time::Duration;

use http_body_util::LengthLimitError;

use crate::causes::{cause, causes};
use crate::handshake::no_tls;
use crate::meeting::Shown;
use crate::tls_words::refusal_words;
use crate::way::CONNECT_TIMEOUT;
use crate::words::clean;
use crate::{Failure, FailureKind, MAX_REPLY};

/// No TCP connection to `named`: an origin, or a proxy.
pub(crate) fn not_connected(error: &(dyn Error + 'static), named: &str) -> Failure {
    // hyper-util shows no type for it; the test below holds on to the words.
    let unresolved = causes(error).any(|cause| cause.to_string().starts_with("dns error"));
    // Some wrap the system's error in one of kind `Other`.
    let system = causes(error)
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .find(|error| error.kind() != io::ErrorKind::Other);
    let reason = causes(error).last().map(ToString::to_string).unwrap_or_default();
    if unresolved {
        let message = format!(
            "the host of {named} has no address: {reason}; is its name right, and the network (or VPN) \
            there that knows it?"
        );
        return Failure::new(FailureKind::Resolve, message);
    }
    let message = match system.map(io::Error::kind) {
        Some(io::ErrorKind::ConnectionRefused) => {
            format!("{named} refuses connections: is it up, and this machine's address allowed?")
        }
        Some(io::ErrorKind::TimedOut) => {
            format!(
                "{named} did not take the connection within {CONNECT_TIMEOUT:?}: is a firewall or \
                proxy between, or the VPN not there?"
            )
        }
        Some(io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable) => {
            format!("no way leads to {named} ({reason}): is the network (or VPN) there?")
        }
        _ => format!("cannot connect to {named}: {reason}"),
    };
    Failure::new(FailureKind::Connect, message)
}

/// A request that got no answer at all.
pub(crate) fn no_answer(error: &hyper::Error, origin: &str, shown: Shown) -> Failure {
    // With TLS 1.3 a server refuses a client without a certificate only after the handshake, and a
    // damaged record shows as an error of reading.
    if let Some(tls) = cause::<rustls::Error>(error) {
        return no_tls(tls, origin, shown);
    }
    if error.is_parse() {
        let what = clean(&error.to_string());
        let message =
            format!("{origin} gave an answer that is not HTTP/1.1 ({what}): is it the right port?");
        return Failure::new(FailureKind::NotConfirmed, message);
    }
    let mut message = format!("the connection to {origin} was lost before an answer came");
    if shown == Shown::Nothing {
        // The alert that says so may be lost with the connection.
        message = format!("{message}; {}", refusal_words(shown));
    }
    Failure::new(FailureKind::Cut, message)
}

/// Words that came before the request.
pub(crate) fn spoke_first(origin: &str) -> Failure {
    let message = format!("{origin} spoke before it was asked: is it the right port?");
    Failure::new(FailureKind::NotConfirmed, message)
}

/// An answer that says in two ways where it ends (RFC 9112, section 6.3): somebody may have put his
/// own answer into another's.
pub(crate) fn two_ends(status: u16) -> Failure {
    let message =
        format!("an answer with two lengths (HTTP {status}): what stands before the server?");
    Failure::new(FailureKind::NotConfirmed, message)
}

/// An answer that did not come to its end.
pub(crate) fn no_end(error: &(dyn Error + 'static), status: u16) -> Failure {
    if error.is::<LengthLimitError>() {
        let message = format!("an answer of more than {} KiB (HTTP {status})", MAX_REPLY / 1024);
        return Failure::new(FailureKind::NotConfirmed, message);
    }
    let message = format!("the connection was lost before the end of the answer (HTTP {status})");
    Failure::new(FailureKind::Cut, message)
}

/// The deadline passed; `status` if an answer had begun.
pub(crate) fn too_late(deadline: Duration, status: Option<u16>) -> Failure {
    let message = match status {
        None => format!("no answer within {deadline:?}"),
        Some(status) => format!("the answer (HTTP {status}) had not ended after {deadline:?}"),
    };
    Failure::new(FailureKind::Timeout, message)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use std::future::{Ready, ready};
    use std::task::{Context, Poll};

    use hyper::Uri;
    use hyper_util::client::legacy::connect::HttpConnector;
    use hyper_util::client::legacy::connect::dns::Name;
    use tower_service::Service;

    /// A name service that knows no name.
    #[derive(Clone)]
    struct Nameless;

    impl Service<Name> for Nameless {
        type Response = std::vec::IntoIter<std::net::SocketAddr>;
        type Error = io::Error;
        type Future = Ready<io::Result<Self::Response>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, _: Name) -> Self::Future {
            ready(Err(io::Error::other("Name or service not known")))
        }
    }

    #[tokio::test]
    async fn a_name_without_an_address_is_told() {
        let mut tcp = HttpConnector::new_with_resolver(Nameless);
        let error = tcp.call(Uri::from_static("http://nobody.example/")).await.unwrap_err();
        let failure = not_connected(&error, "http://nobody.example:80");
        assert_eq!(failure.kind, FailureKind::Resolve);
        let message = "the host of http://nobody.example:80 has no address: ";
        let why = "Name or service not known; is its name right, and the network (or VPN) there that knows it?";
        assert_eq!(failure.message, format!("{message}{why}"));
    }
}
