//! What went wrong with an exchange, read off the errors of hyper and the system.

use std::error::Error;
use std::time::Duration;

use http_body_util::LengthLimitError;
use securid_text::span;

use crate::causes::cause;
use crate::handshake::no_tls;
use crate::meeting::Shown;
use crate::tls_words::refusal_words;
use crate::words::clean;
use crate::{Failure, FailureKind, MAX_REPLY};

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
    let deadline = span(deadline);
    let message = match status {
        None => format!("no answer within {deadline}"),
        Some(status) => format!("the answer (HTTP {status}) had not ended after {deadline}"),
    };
    Failure::new(FailureKind::Timeout, message)
}
