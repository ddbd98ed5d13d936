//! What went wrong with an exchange, read off the errors of hyper, rustls and the system.

use std::error::Error;
use std::time::Duration;
use std::{io, iter};

use http_body_util::LengthLimitError;
use hyper_util::client::legacy;
use rustls::CertificateError;

use crate::transport::CONNECT_TIMEOUT;
use crate::words::clean;
use crate::{Failure, FailureKind, MAX_REPLY};

/// A request that got no answer at all.
pub(crate) fn no_answer(error: &legacy::Error, origin: &str) -> Failure {
    // A client certificate that is missing shows, with TLS 1.3, only when the request is sent: so
    // TLS is looked for first, whatever hyper was doing.
    if let Some(tls) = cause::<rustls::Error>(error) {
        return Failure::new(FailureKind::Tls, format!("no TLS with {origin}: {}", tls_words(tls)));
    }
    if error.is_connect() {
        return not_connected(error, origin);
    }
    if cause::<hyper::Error>(error).is_some_and(hyper::Error::is_parse) {
        let message =
            format!("{origin} gave an answer that is not HTTP/1.1: is it the right port?");
        return Failure::new(FailureKind::NotConfirmed, message);
    }
    let message = format!("the connection to {origin} was lost before an answer came");
    Failure::new(FailureKind::Cut, message)
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

fn not_connected(error: &legacy::Error, origin: &str) -> Failure {
    // hyper-util shows no type for it; the test below holds on to the words.
    let unresolved = causes(error).any(|cause| cause.to_string().starts_with("dns error"));
    // Some wrap the system's error in one of kind `Other`.
    let system = causes(error)
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .find(|error| error.kind() != io::ErrorKind::Other);
    let reason = causes(error).last().map(ToString::to_string).unwrap_or_default();
    if unresolved {
        let message = format!("the host of {origin} has no address: {reason}");
        return Failure::new(FailureKind::Resolve, message);
    }
    match system.map(io::Error::kind) {
        Some(io::ErrorKind::ConnectionRefused) => {
            let message = format!(
                "{origin} refuses connections: is the server up, and this machine's address allowed?"
            );
            Failure::new(FailureKind::Connect, message)
        }
        Some(io::ErrorKind::TimedOut) => {
            let message =
                format!("{origin} did not take the connection within {CONNECT_TIMEOUT:?}");
            Failure::new(FailureKind::Connect, message)
        }
        Some(
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe,
        ) => {
            let message =
                format!("{origin} hung up before the request was sent: does it speak TLS?");
            Failure::new(FailureKind::Cut, message)
        }
        _ => Failure::new(FailureKind::Connect, format!("cannot connect to {origin}: {reason}")),
    }
}

fn tls_words(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidCertificate(reason) => certificate_words(reason),
        rustls::Error::InvalidMessage(_) => "the server does not speak TLS on this port".into(),
        rustls::Error::AlertReceived(alert) => format!("the server refuses ({alert:?})"),
        _ => clean(&error.to_string()),
    }
}

fn certificate_words(reason: &CertificateError) -> String {
    let why = || clean(&reason.to_string());
    match reason {
        CertificateError::UnknownIssuer => {
            "the server's certificate is not trusted: its issuer is \
            unknown here; add its CA as ca_file"
                .into()
        }
        CertificateError::BadSignature => {
            "the server's certificate is not trusted: its issuer has \
            the name of a known CA, but another key; is ca_file out of date?"
                .into()
        }
        CertificateError::NotValidForNameContext { presented, .. } => {
            format!(
                "the server's certificate is for another name: {}",
                clean(&presented.join(", "))
            )
        }
        CertificateError::NotValidForName => "the server's certificate is for another name".into(),
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => {
            format!(
                "the server's certificate is out of date, or this machine's clock is: {}",
                why()
            )
        }
        _ => format!("the server's certificate is not accepted: {}", why()),
    }
}

/// The first cause of that type.
fn cause<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

/// The error and what caused it. An [`io::Error`] that wraps another error leaves that one out of
/// its `source()`, and that is where rustls' errors are.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    iter::successors(Some(error), |&error| {
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped as &(dyn Error + 'static)),
            None => error.source(),
        }
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use std::future::{Ready, ready};
    use std::task::{Context, Poll};

    use bytes::Bytes;
    use http_body_util::Empty;
    use hyper::Uri;
    use hyper_util::client::legacy::connect::HttpConnector;
    use hyper_util::client::legacy::connect::dns::Name;
    use hyper_util::rt::TokioExecutor;

    /// A name service that knows no name.
    #[derive(Clone)]
    struct Nameless;

    impl tower_service::Service<Name> for Nameless {
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
        let http: legacy::Client<_, Empty<Bytes>> = legacy::Client::builder(TokioExecutor::new())
            .build(HttpConnector::new_with_resolver(Nameless));
        let error = http.get(Uri::from_static("http://nobody.example/")).await.unwrap_err();
        let failure = no_answer(&error, "http://nobody.example:80");
        assert_eq!(failure.kind, FailureKind::Resolve);
        let message = "the host of http://nobody.example:80 has no address: ";
        assert_eq!(failure.message, message.to_owned() + "Name or service not known");
    }

    #[test]
    fn causes_go_through_errors_that_wrap_others() {
        let tls = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let wrapped = io::Error::other(io::Error::new(io::ErrorKind::InvalidData, tls.clone()));
        assert_eq!(cause::<rustls::Error>(&wrapped), Some(&tls));
        assert_eq!(cause::<rustls::Error>(&io::Error::other("x")), None);
    }
}
