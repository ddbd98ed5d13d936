//! Taking a reply line apart.

use securid_secret::Secret;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::messages::RpcError;

/// The JSON text of a result, which may be a token; or the error.
pub(crate) type Outcome = Result<Secret, RpcError>;

/// A reply. It has no `Debug`: its text may be a token.
pub(crate) struct Answer {
    /// The request that it answers; none if that could not be told.
    pub(crate) id: Option<u64>,
    pub(crate) outcome: Outcome,
}

impl Answer {
    /// Understands a line; `None` if it is no reply.
    pub(crate) fn parse(line: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Members<'a> {
            id: Option<u64>,
            #[serde(borrow, default, deserialize_with = "present")]
            result: Option<&'a RawValue>,
            error: Option<RpcError>,
        }
        // A result of `null` is a result.
        fn present<'de, D: Deserializer<'de>>(from: D) -> Result<Option<&'de RawValue>, D::Error> {
            <&RawValue>::deserialize(from).map(Some)
        }
        let members: Members<'_> = serde_json::from_slice(line).ok()?;
        let outcome = match (members.result, members.error) {
            (Some(result), None) => Ok(Secret::from(result.get())),
            (None, Some(error)) => Err(error),
            _ => return None,
        };
        Some(Self { id: members.id, outcome })
    }
}
