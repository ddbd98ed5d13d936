//! `docs/protocol.schema.json`: the types, as JSON Schema has them.

use schemars::generate::SchemaSettings;
use securid_ipc::{
    PROTOCOL,
    envelope::EVENT,
    messages::{Event, RpcError},
};
use securid_manual::keep;
use serde_json::{Map, Value, json};

use super::methods::{self, Method};

#[test]
fn the_schema_follows_from_the_types() {
    let text = serde_json::to_string_pretty(&document()).unwrap() + "\n";
    assert!(!text.contains("[`"), "a link that is none for readers of the schema");
    keep("docs/protocol.schema.json", &text);
}

/// The whole of it: any message, and below `$defs` each method's request (`METHOD`) and result (`METHOD.result`).
pub(crate) fn document() -> Value {
    let mut asked = SchemaSettings::draft2020_12().into_generator();
    let mut told = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let methods = methods::all();
    let params: Vec<_> =
        methods.iter().map(|method| (method.params)(&mut asked).to_value()).collect();
    let results: Vec<_> =
        methods.iter().map(|method| (method.result)(&mut told).to_value()).collect();
    let error = told.subschema_for::<RpcError>().to_value();
    let event = told.subschema_for::<Event>().to_value();
    let mut definitions = asked.take_definitions(true);
    definitions.extend(told.take_definitions(true));
    definitions.values_mut().for_each(absent_not_null);
    open_to_more(&mut definitions["Event"]);
    for (method, params) in methods.iter().zip(&params) {
        let request = request(method, params, &definitions);
        definitions.insert(method.name.to_owned(), request);
    }
    let requests: Vec<_> = methods.iter().map(|method| reference(method.name)).collect();
    for (method, result) in methods.iter().zip(&results) {
        definitions.insert(format!("{}.result", method.name), result.clone());
    }
    definitions.insert("id".to_owned(), json!({"type": ["string", "number", "null"]}));
    definitions.insert("request".to_owned(), json!({"oneOf": requests}));
    definitions.insert("reply".to_owned(), reply(&results, &error));
    definitions.insert("notification".to_owned(), notification(&event));
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": format!("Protocol {PROTOCOL} of securid-sessiond"),
        "description": "One message, which is one line. A request is #/$defs/METHOD, its result #/$defs/METHOD.result. \
                        Requests have no other members than these; replies may have, of a newer daemon.",
        "anyOf": [reference("request"), reference("reply"), reference("notification")],
        "$defs": definitions,
    })
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/$defs/{name}")})
}

fn request(method: &Method, params: &Value, definitions: &Map<String, Value>) -> Value {
    let definition = &definitions[name_of(params).expect("parameters are a type of their own")];
    let is_needed = ["required", "oneOf"].iter().any(|member| definition.get(member).is_some());
    let needed = [&["jsonrpc", "method"][..], if is_needed { &["params"] } else { &[] }].concat();
    json!({
        "description": method.about,
        "type": "object",
        "properties": {
            "jsonrpc": {"const": "2.0"},
            "id": reference("id"),
            "method": {"const": method.name},
            "params": params,
        },
        "required": needed,
        "additionalProperties": false,
    })
}

/// The definition that a schema refers to.
pub(crate) fn name_of(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.strip_prefix("#/$defs/")
}

fn reply(results: &[Value], error: &Value) -> Value {
    json!({
        "type": "object",
        "properties": {
            "jsonrpc": {"const": "2.0"},
            "id": reference("id"),
            "result": {"anyOf": results},
            "error": error,
        },
        "required": ["jsonrpc", "id"],
        "oneOf": [{"required": ["result"]}, {"required": ["error"]}],
    })
}

/// What may be left out is left out, and not null. Of parameters the daemon takes `null` for that too, where it does;
/// nobody has to know where.
fn absent_not_null(definition: &mut Value) {
    let needed = definition["required"].as_array().cloned().unwrap_or_default();
    let Some(fields) = definition.get_mut("properties").and_then(Value::as_object_mut) else {
        return;
    };
    for (_, field) in fields.iter_mut().filter(|(name, _)| !needed.contains(&json!(name))) {
        let Some(members) = field.as_object_mut() else { continue };
        if let Some([only, Value::String(null)]) =
            members.get("type").and_then(Value::as_array).map(Vec::as_slice)
            && null == "null"
        {
            let only = only.clone();
            members.insert("type".to_owned(), only);
        }
        if let Some([Value::Object(only), null]) =
            members.get("anyOf").and_then(Value::as_array).map(Vec::as_slice)
            && null["type"] == "null"
        {
            let only = only.clone();
            members.remove("anyOf");
            members.extend(only);
        }
        members.remove("default");
    }
}

fn notification(event: &Value) -> Value {
    json!({
        "type": "object",
        "properties": {
            "jsonrpc": {"const": "2.0"},
            "method": {"const": EVENT},
            "params": event,
        },
        "required": ["jsonrpc", "method", "params"],
    })
}

/// A newer daemon tells of more, and clients do not mind.
fn open_to_more(event: &mut Value) {
    let kinds = event["oneOf"].as_array_mut().expect("one for each kind");
    let known: Vec<_> =
        kinds.iter().map(|kind| kind["properties"]["event"]["const"].clone()).collect();
    kinds.push(json!({
        "description": "What only a newer daemon tells.",
        "properties": {"event": {"type": "string", "not": {"enum": known}}},
        "required": ["event"],
    }));
}
