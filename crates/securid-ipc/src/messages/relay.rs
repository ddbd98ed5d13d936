//! `session.call`: one command of the web service, its body and its answer in pieces, each asked for or
//! sent by the client.

use std::{collections::BTreeMap, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use crate::duration::optional;

/// How many bytes one message carries at most: 32 KiB in base64, so that a request line of
/// [`REQUEST_LIMIT`](crate::framing::REQUEST_LIMIT) has room for the rest.
pub const CHUNK: usize = 24 * 1024;

/// Of `session.call`: begins a call, or goes on with one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "RelayOnTheWire", into = "RelayOnTheWire")]
pub enum Relay {
    /// A new one.
    Begin(Begin),
    /// One that this connection has begun.
    GoOn(GoOn),
}

/// What is asked of the server, and the first chunk of the body that goes with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Begin {
    /// A selector; the default session where it is not said.
    pub session: Option<String>,
    /// The command's name.
    pub command: String,
    /// Its arguments, which become parameters of the URL.
    pub arguments: BTreeMap<String, String>,
    /// The form of the reply; the instance's own where it is not said.
    pub format: Option<String>,
    /// What the body is; `application/json` where it is not said.
    pub content_type: Option<String>,
    /// How long the call may take in all.
    pub timeout: Option<Duration>,
    /// How many bytes the whole body has, where that is known.
    pub length: Option<u64>,
    /// The beginning of the body.
    pub body: Option<Chunk>,
    /// Whether more of the body follows.
    pub more: bool,
}

/// The next chunk of the body; or, once that was whole, the wish for the next piece of the answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GoOn {
    /// The call's number.
    pub call: u64,
    /// The next chunk.
    pub body: Option<Chunk>,
    /// Whether more of the body follows.
    pub more: bool,
}

/// Of `session.call`: that a chunk of the request was taken, and the next one is waited for; or, with `status`, a
/// piece of the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RelayView {
    /// The session's id.
    pub session: String,
    /// The call's number, under which this connection goes on with it.
    pub call: u64,
    /// The answer's HTTP status, from 200 to 299: any other is an error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// What the answer is, if the server says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// The piece itself; it may be empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::Base64>"))]
    pub body: Option<Chunk>,
    /// Whether more of the answer follows. It is whole only with the piece of which this is false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more: Option<bool>,
}

/// Some bytes of a body, at most [`CHUNK`]; base64 on the wire.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Chunk(pub Vec<u8>);

impl std::fmt::Debug for Chunk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Chunk({} bytes)", self.0.len())
    }
}

impl Serialize for Chunk {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Chunk {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match STANDARD.decode(text) {
            Ok(bytes) if bytes.len() <= CHUNK => Ok(Self(bytes)),
            Ok(_) => Err(D::Error::custom(format!("`body` has more than {CHUNK} bytes"))),
            Err(_) => Err(D::Error::custom("`body` is not base64")),
        }
    }
}

/// Both forms; `command` or `call` says which it is.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::beginning_or_going_on))]
#[serde(deny_unknown_fields, rename = "call")]
struct RelayOnTheWire {
    /// The number of a call that this connection has begun, to go on with it: with the next chunk of the body, or
    /// once that was whole, for the next piece of the answer. Nothing but `body` and `more` beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    call: Option<u64>,
    /// A selector; the default session where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    session: Option<String>,
    /// The command's name, to begin a call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    command: Option<String>,
    /// Its arguments, which become parameters of the URL: a text each.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "each_once")]
    arguments: BTreeMap<String, String>,
    /// The form of the reply; the instance's own where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    format: Option<String>,
    /// What the body is; `application/json` where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    content_type: Option<String>,
    /// How long the call may take in all.
    #[serde(default, with = "optional", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::Span>"))]
    timeout: Option<Duration>,
    /// How many bytes the whole body has, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    length: Option<u64>,
    /// A chunk of the body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::Base64>"))]
    body: Option<Chunk>,
    /// Whether more of the body follows.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    more: bool,
}

impl TryFrom<RelayOnTheWire> for Relay {
    type Error = &'static str;

    fn try_from(wire: RelayOnTheWire) -> Result<Self, Self::Error> {
        let RelayOnTheWire {
            call,
            session,
            command,
            arguments,
            format,
            content_type,
            timeout,
            length,
            body,
            more,
        } = wire;
        match (call, command) {
            (None, Some(command)) => Ok(Self::Begin(Begin {
                session,
                command,
                arguments,
                format,
                content_type,
                timeout,
                length,
                body,
                more,
            })),
            (Some(call), None)
                if arguments.is_empty()
                    && [&session, &format, &content_type].iter().all(|it| it.is_none())
                    && timeout.is_none()
                    && length.is_none() =>
            {
                Ok(Self::GoOn(GoOn { call, body, more }))
            }
            (Some(_), _) => Err("with `call` there may be `body` and `more`, nothing else"),
            (None, None) => Err("give `command` to begin a call, or `call` to go on with one"),
        }
    }
}

impl From<Relay> for RelayOnTheWire {
    fn from(relay: Relay) -> Self {
        match relay {
            Relay::Begin(begin) => Self {
                call: None,
                session: begin.session,
                command: Some(begin.command),
                arguments: begin.arguments,
                format: begin.format,
                content_type: begin.content_type,
                timeout: begin.timeout,
                length: begin.length,
                body: begin.body,
                more: begin.more,
            },
            Relay::GoOn(GoOn { call, body, more }) => Self {
                call: Some(call),
                session: None,
                command: None,
                arguments: BTreeMap::new(),
                format: None,
                content_type: None,
                timeout: None,
                length: None,
                body,
                more,
            },
        }
    }
}

/// A name that is there twice has two values, and only one of them would be sent.
fn each_once<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, String>, D::Error> {
    struct EachOnce;
    impl<'de> serde::de::Visitor<'de> for EachOnce {
        type Value = BTreeMap<String, String>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object of texts in `arguments`")
        }

        fn visit_map<A: serde::de::MapAccess<'de>>(
            self,
            mut map: A,
        ) -> Result<Self::Value, A::Error> {
            let mut arguments = BTreeMap::new();
            while let Some((name, value)) = map.next_entry()? {
                if arguments.insert(name, value).is_some() {
                    return Err(A::Error::custom("a name is twice in `arguments`"));
                }
            }
            Ok(arguments)
        }
    }
    deserializer.deserialize_map(EachOnce)
}
