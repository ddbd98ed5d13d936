//! What JSON-RPC 2.0 puts around a message.
//!
//! A request without an id is a notification: it is carried out and nothing is said. Its result
//! counts as undelivered, so that a login which nobody is told of is revoked. Batches and unknown
//! members are refused: a misspelt `"parms"` must not become a call without parameters.

use std::{borrow::Cow, io::Write as _};

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::{
    PROTOCOL, VERSION,
    framing::{LineBuffer, REPLY_LIMIT, REQUEST_LIMIT, TooLong},
    messages::{Call, ErrorCode, Event, HelloView, RpcError},
};

/// The method that every connection answers at once, without keyring, disk or network.
pub const HELLO: &str = "daemon.hello";

/// What this daemon says to `daemon.hello`.
#[must_use]
pub fn hello() -> HelloView {
    HelloView { protocol: PROTOCOL, version: VERSION.to_owned() }
}

/// A request's own name for itself, given back byte for byte: a JSON string, number or null.
#[derive(Debug, Clone)]
pub struct Id(Box<RawValue>);

/// What a line asks for.
#[derive(Debug)]
pub struct Request {
    /// Absent in a notification.
    pub id: Option<Id>,
    /// What is to be done, or why it cannot be.
    pub asked: Result<Asked, RpcError>,
}

/// A method, told apart by who answers it.
#[derive(Debug, PartialEq, Eq)]
pub enum Asked {
    /// `daemon.hello`: the connection itself.
    Hello,
    /// Anything else: the daemon.
    Call(Call),
}

impl Request {
    /// Understands one line. What is wrong with it is an error to be sent back, under the id null
    /// where the line is no request at all.
    #[must_use]
    pub fn parse(line: &[u8]) -> Self {
        Incoming::read(line).map_or_else(
            |error| Self { id: Some(Id::null()), asked: Err(error) },
            |incoming| Self { id: incoming.id.map(Id::from_raw), asked: incoming.asked() },
        )
    }
}

impl Id {
    /// The id of an answer to what is no request.
    #[must_use]
    pub fn null() -> Self {
        Self(RawValue::NULL.to_owned())
    }

    fn from_raw(raw: &RawValue) -> Self {
        Self(raw.to_owned())
    }
}

/// The members of a request.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Incoming<'a> {
    #[serde(borrow)]
    jsonrpc: Cow<'a, str>,
    #[serde(borrow, default, deserialize_with = "present")]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    method: Cow<'a, str>,
    #[serde(borrow, default, deserialize_with = "present")]
    params: Option<&'a RawValue>,
}

impl<'a> Incoming<'a> {
    fn read(line: &'a [u8]) -> Result<Self, RpcError> {
        // A struct is read from an array, too.
        let is_batch = line.trim_ascii_start().starts_with(b"[");
        let incoming: Self = match serde_json::from_slice(line) {
            Ok(incoming) if !is_batch => incoming,
            _ => return Err(no_request(line)),
        };
        if incoming.jsonrpc != "2.0" {
            return Err(request("jsonrpc must be \"2.0\""));
        }
        if incoming.id.is_some_and(|id| id.get().starts_with(['{', '[', 't', 'f'])) {
            return Err(request("the id must be a string, a number or null"));
        }
        Ok(incoming)
    }

    fn asked(&self) -> Result<Asked, RpcError> {
        if self.method == HELLO {
            // It takes no parameters, as `daemon.status`, whose reader stands in for it.
            Call::parse("daemon.status", self.params).map(|_| Asked::Hello)
        } else {
            Call::parse(&self.method, self.params).map(Asked::Call)
        }
    }
}

/// What a line is that is no request.
fn no_request(line: &[u8]) -> RpcError {
    match serde_json::from_slice::<&RawValue>(line) {
        Err(_) => RpcError::new(ErrorCode::Parse, "the line is not one JSON text"),
        Ok(raw) if raw.get().starts_with('[') => request("batches are not taken"),
        Ok(_) => request("a request has jsonrpc, method, and perhaps id and params, nothing else"),
    }
}

fn request(message: &str) -> RpcError {
    RpcError::new(ErrorCode::Request, message)
}

/// Tells `null` from absent, which `Option` alone does not.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

/// Writes an answer with its newline.
///
/// # Errors
/// [`TooLong`] if it does not fit into a reply line.
pub fn answer(id: &Id, outcome: Result<&impl Serialize, &RpcError>) -> Result<LineBuffer, TooLong> {
    #[derive(Serialize)]
    struct Answer<'a, T> {
        jsonrpc: &'static str,
        id: &'a RawValue,
        #[serde(skip_serializing_if = "Option::is_none")]
        result: Option<&'a T>,
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<&'a RpcError>,
    }
    let (result, error) = (outcome.ok(), outcome.err());
    let mut line = LineBuffer::new(REPLY_LIMIT);
    write_line(&mut line, &Answer { jsonrpc: "2.0", id: &id.0, result, error })?;
    Ok(line)
}

/// The method of the notifications that a connection gets which has subscribed.
pub const EVENT: &str = "event";

/// Writes a notification of an event with its newline.
///
/// # Errors
/// [`TooLong`] if it does not fit into a reply line.
pub fn notification(event: &Event) -> Result<LineBuffer, TooLong> {
    #[derive(Serialize)]
    struct Notification<'a> {
        jsonrpc: &'static str,
        method: &'static str,
        params: &'a Event,
    }
    let mut line = LineBuffer::new(REPLY_LIMIT);
    write_line(&mut line, &Notification { jsonrpc: "2.0", method: EVENT, params: event })?;
    Ok(line)
}

/// Writes a greeting and a call with their newlines, to go out in one piece.
///
/// # Errors
/// [`TooLong`] if the call does not fit into a request line.
pub fn greet_and_call(hello_id: u64, call_id: u64, call: &Call) -> Result<LineBuffer, TooLong> {
    #[derive(Serialize)]
    struct Outgoing<'a> {
        jsonrpc: &'static str,
        id: u64,
        method: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        params: Option<&'a Call>,
    }
    let mut request = LineBuffer::new(REQUEST_LIMIT);
    let params = Some(call);
    write_line(
        &mut request,
        &Outgoing { jsonrpc: "2.0", id: call_id, method: call.method(), params },
    )?;
    // The greeting goes first, beyond the limit of the line that follows it.
    let mut both = LineBuffer::new(REQUEST_LIMIT * 2);
    write_line(&mut both, &Outgoing { jsonrpc: "2.0", id: hello_id, method: HELLO, params: None })?;
    let limit = REQUEST_LIMIT;
    both.write_all(request.filled()).map_err(|_| TooLong { limit })?;
    Ok(both)
}

fn write_line(line: &mut LineBuffer, message: &impl Serialize) -> Result<(), TooLong> {
    let limit = line.limit();
    // Nothing but the buffer's limit can fail: the messages are structs with text keys.
    serde_json::to_writer(&mut *line, message).map_err(|_| TooLong { limit })?;
    line.write_all(b"\n").map_err(|_| TooLong { limit })
}
