//! The small vocabularies of results. Within a protocol number words may be added, and clients
//! take no offence: one that they do not know is kept as it came.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! open_vocabulary {
    ($(#[doc = $doc:literal])* $name:ident { $($(#[doc = $about:literal])* $word:ident = $text:literal,)* }) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(from = "String", into = "String")]
        pub enum $name {
            $($(#[doc = $about])* $word,)*
            /// A word of a newer daemon.
            Other(String),
        }

        impl $name {
            /// The word on the wire.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$word => $text,)*
                    Self::Other(word) => word,
                }
            }
        }

        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                crate::schema::open("string", concat!($($doc),*), &[$(($text.into(), $text, concat!($($about),*)),)*])
            }
        }

        impl From<String> for $name {
            fn from(word: String) -> Self {
                match word.as_str() {
                    $($text => Self::$word,)*
                    _ => Self::Other(word),
                }
            }
        }

        impl From<$name> for String {
            fn from(word: $name) -> Self {
                word.as_str().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

open_vocabulary! {
    /// Where a session stands.
    SessionState {
        /// Recorded, its secret not yet stored: not acknowledged.
        Adding = "adding",
        /// Lent out on request.
        Active = "active",
        /// Never lent again; the daemon tries until the server confirms.
        Revoking = "revoking",
        /// Confirmed dead, or forgotten on a person's word.
        Ended = "ended",
        /// Recorded, but its store definitely has no such secret.
        Lost = "lost",
    }
}

open_vocabulary! {
    /// Why a session is revoked.
    Reason {
        /// Somebody asked for it.
        Request = "request",
        /// It was not used for its idle timeout.
        Idle = "idle",
        /// Its lifetime was over.
        Lifetime = "lifetime",
        /// The desktop was locked.
        Lock = "lock",
        /// The machine was put to sleep.
        Suspend = "suspend",
        /// The daemon ended.
        Shutdown = "shutdown",
        /// The server itself refused the token.
        Server = "server",
        /// A new login with `replace` took its place.
        Replaced = "replaced",
        /// A secret was found without a readable record.
        Orphan = "orphan",
        /// Whoever logged in was gone before the answer.
        Abandoned = "abandoned",
    }
}

open_vocabulary! {
    /// How a session ended.
    Outcome {
        /// The server carried `logoutUser` out.
        Revoked = "revoked",
        /// The server said that the token was dead before.
        AlreadyInvalid = "already-invalid",
        /// A person gave it up.
        Forgotten = "forgotten",
    }
}

open_vocabulary! {
    /// How the keyring answers.
    KeyringState {
        /// It reads and writes.
        Ready = "ready",
        /// It waits for a person to unlock it.
        Locked = "locked",
        /// It cannot be reached.
        Unavailable = "unavailable",
    }
}
