//! How JSON Schema tells what the types alone do not: spans and moments are texts, words and codes are open to
//! additions, a logout names its targets in one of two ways.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Value;

use crate::messages::CHUNK;

/// A token or a password.
pub(crate) struct SecretText;

impl JsonSchema for SecretText {
    fn schema_name() -> Cow<'static, str> {
        "Secret".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "description": "A token or a password: to be kept in memory, and out of logs."})
    }
}

/// Some bytes, as [`crate::messages::Chunk`] has them.
pub(crate) struct Base64;

impl JsonSchema for Base64 {
    fn schema_name() -> Cow<'static, str> {
        "Bytes".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let most = CHUNK.div_ceil(3) * 4;
        json_schema!({
            "type": "string",
            "contentEncoding": "base64",
            "maxLength": most,
            "description": format!("At most {CHUNK} bytes, in base64.")
        })
    }
}

/// A span of time, as [`crate::duration`] reads it.
pub(crate) struct Span;

impl JsonSchema for Span {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^[0-9]+(ms|s|m|h|d)$",
            "description": "A span of time: a whole number and one of ms, s, m, h, d, as in 90s; at most 36500d."
        })
    }
}

/// A moment, as [`crate::messages::Time`] has it.
pub(crate) struct Moment;

impl JsonSchema for Moment {
    fn schema_name() -> Cow<'static, str> {
        "Time".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "format": "date-time",
            "pattern": "^[0-9-]{10}T[0-9:]{8}Z$",
            "description": "A moment, by the wall clock, in UTC: 2026-11-22T12:00:00Z."
        })
    }
}

/// A vocabulary to which newer daemons may add: what it tells, and each value that is known, with its name and what it
/// means.
pub(crate) fn open(of_type: &str, tells: &str, known: &[(Value, &str, &str)]) -> Schema {
    let known = known.iter().map(|(value, name, about)| {
        json_schema!({"const": value, "title": name, "description": about.trim()}).to_value()
    });
    let newer = json_schema!({"description": "One of a newer daemon."}).to_value();
    let all: Vec<Value> = known.chain([newer]).collect();
    json_schema!({"type": of_type, "description": tells.trim(), "anyOf": all})
}

/// `{"sessions": […]}` with at least one, or `{"all": true}`.
pub(crate) fn one_of_its_targets(schema: &mut Schema) {
    schema.insert(
        "oneOf".to_owned(),
        serde_json::json!([
            {"required": ["sessions"], "properties": {"sessions": {"minItems": 1}}},
            {"required": ["all"], "properties": {"all": {"const": true}}},
        ]),
    );
}

/// `password` or `assertion`, never both.
pub(crate) fn one_proof(schema: &mut Schema) {
    let either = serde_json::json!([{"required": ["password"]}, {"required": ["assertion"]}]);
    schema.insert("oneOf".to_owned(), either);
}

/// A `session.call` begins with `command`, or goes on with `call`, which has less to say.
pub(crate) fn beginning_or_going_on(schema: &mut Schema) {
    let either = serde_json::json!([
        {"required": ["command"], "not": {"required": ["call"]}},
        {"required": ["call"], "propertyNames": {"enum": ["call", "body", "more"]}},
    ]);
    schema.insert("oneOf".to_owned(), either);
}
