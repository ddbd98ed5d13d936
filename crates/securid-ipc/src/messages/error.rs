//! Errors on the wire: code, message, and what to do.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// An error as JSON-RPC carries it. Its message says what went wrong, never a token or a password.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[error("{message}")]
pub struct RpcError {
    /// What kind it is.
    pub code: ErrorCode,
    /// What went wrong.
    pub message: String,
    /// What helps to do something about it.
    #[serde(default, skip_serializing_if = "ErrorData::is_empty")]
    pub data: ErrorData,
}

/// What an error says besides its message.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ErrorData {
    /// What a person can do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// With `ambiguous`: the ids that were meant, perhaps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<String>,
    /// With `params`: a parameter that neither call nor config gives, as `username`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<String>,
    /// With `params`: the method has no such parameter; an older daemon may not know it yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unknown: bool,
    /// With `shutting-down`: the daemon only drains, because its config is bad.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub bad_config: bool,
    /// With `server-error` of a `session.call`: the HTTP status of the server's answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
}

impl ErrorData {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl RpcError {
    /// An error without further help.
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), data: ErrorData::default() }
    }

    /// The same, with what a person can do about it.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.data.hint = Some(hint.into());
        self
    }

    /// The exit status of a command that met this error.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self.code {
            ErrorCode::ShuttingDown if self.data.bad_config => 78,
            code => code.exit_code(),
        }
    }
}

macro_rules! error_codes {
    ($($(#[doc = $doc:literal])* $code:ident = $number:literal, $name:literal, $exit:literal;)*) => {
        /// The kinds of error, with number, name and exit status as the contract fixes them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(from = "i32", into = "i32")]
        pub enum ErrorCode {
            $($(#[doc = $doc])* $code,)*
            /// A number of a newer daemon.
            Unknown(i32),
        }

        impl ErrorCode {
            /// Every code of this protocol number.
            pub const ALL: &[Self] = &[$(Self::$code),*];

            /// The name, as `--json` shows it.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$code => $name,)*
                    Self::Unknown(_) => "unknown",
                }
            }

            /// The exit status of a command that met it.
            #[must_use]
            pub fn exit_code(self) -> u8 {
                match self {
                    $(Self::$code => $exit,)*
                    Self::Unknown(_) => 1,
                }
            }
        }

        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for ErrorCode {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!(ErrorCode).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                crate::schema::open("integer", "The kind of error.", &[$(($number.into(), $name, concat!($($doc),*)),)*])
            }
        }

        impl From<i32> for ErrorCode {
            fn from(number: i32) -> Self {
                match number {
                    $($number => Self::$code,)*
                    other => Self::Unknown(other),
                }
            }
        }

        impl From<ErrorCode> for i32 {
            fn from(code: ErrorCode) -> Self {
                match code {
                    $(ErrorCode::$code => $number,)*
                    ErrorCode::Unknown(number) => number,
                }
            }
        }
    };
}

error_codes! {
    /// The line is no JSON.
    Parse = -32700, "parse", 1;
    /// The JSON is no request, or one that is too long.
    Request = -32600, "request", 1;
    /// There is no such method.
    Method = -32601, "method", 1;
    /// The parameters are wrong.
    Params = -32602, "params", 1;
    /// No session has this id, instance, user or prefix.
    NoSuchSession = -32001, "no-such-session", 66;
    /// More than one session could be meant.
    Ambiguous = -32002, "ambiguous", 2;
    /// The keyring waits for a person.
    KeyringLocked = -32003, "keyring-locked", 74;
    /// The keyring cannot be reached.
    KeyringUnavailable = -32004, "keyring-unavailable", 74;
    /// The disk refused.
    StorageFailed = -32005, "storage-failed", 74;
    /// The remote server cannot be reached.
    ServerUnreachable = -32006, "server-unreachable", 68;
    /// The remote server refused the password.
    LoginRefused = -32007, "login-refused", 77;
    /// The remote server gave an answer that does not help.
    ServerError = -32008, "server-error", 1;
    /// The config names no such instance.
    NoSuchInstance = -32009, "no-such-instance", 78;
    /// The daemon takes nothing new any more.
    ShuttingDown = -32010, "shutting-down", 69;
    /// Too many sessions, or too long a reply.
    LimitExceeded = -32011, "limit-exceeded", 1;
    /// The token is being revoked.
    UnderRevocation = -32012, "under-revocation", 1;
    /// The text cannot be a token.
    BadToken = -32013, "bad-token", 1;
    /// The config that was to be read anew is bad; the old one goes on.
    BadConfig = -32014, "bad-config", 78;
}
