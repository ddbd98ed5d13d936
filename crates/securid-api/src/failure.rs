//! What went wrong with a request, for a person and for a program.

use std::fmt;
use std::time::Duration;

use crate::words::guarded;

/// A request that did not do what it was for. [`Display`](fmt::Display) is the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What sort of failure it is.
    pub kind: FailureKind,
    /// What happened and what it means, in a line. It may quote what the server said: shortened,
    /// without control characters, without the token or password that was sent.
    pub message: String,
    /// How long the server asks to wait, at most [`RETRY_AFTER_MAX`](crate::RETRY_AFTER_MAX).
    pub retry_after: Option<Duration>,
}

impl Failure {
    /// A failure without a `Retry-After`.
    pub(crate) fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), retry_after: None }
    }

    /// The same without a message that repeats a secret: a certificate may have the token of an earlier
    /// attempt for its name.
    pub(crate) fn guarded(self, secrets: &[&str]) -> Self {
        Self { message: guarded(&self.message, secrets).expose().to_owned(), ..self }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// The sorts of [`Failure`], in the order in which a request can meet them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// The host's name has no address, or the name service does not answer.
    Resolve,
    /// No connection: refused, unreachable, or nobody there.
    Connect,
    /// The proxy on the way cannot be reached, refuses, or fails. Nothing was sent to the server.
    Proxy,
    /// No trust: a certificate or a handshake that failed. The server has not acted, unless a
    /// damaged TLS record came in place of its answer.
    Tls,
    /// The deadline passed. The server may or may not have acted.
    Timeout,
    /// The connection was lost before the answer was complete. The server may or may not have
    /// acted.
    Cut,
    /// An answer, but none that confirms: not from the server, or a refusal.
    NotConfirmed,
    /// The server asks to come back later (429 or 503 with `Retry-After`).
    Throttled,
}
