//! Types in words, for the page.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::schema::name_of;

/// A type's name, or what it is where it has none.
pub(crate) fn words(schema: &Value) -> String {
    if let Some(name) = name_of(schema) {
        return match name {
            "ErrorCode" => "[code](#errors)".to_owned(),
            "Secret" | "Time" | "Duration" => name.to_lowercase(),
            _ => format!("[{name}](#{})", name.to_lowercase()),
        };
    }
    if let Some(choices) = schema["anyOf"].as_array() {
        return choices.iter().map(words).collect::<Vec<_>>().join(" or ");
    }
    let simple = |name: &str| match name {
        "string" => "text".to_owned(),
        "integer" => "number".to_owned(),
        "boolean" => "true or false".to_owned(),
        "array" => format!("list of {}", words(&schema["items"])),
        other => other.to_owned(),
    };
    match &schema["type"] {
        Value::String(name) => simple(name),
        Value::Array(names) => {
            let names = names.iter().filter_map(Value::as_str).map(simple);
            names.collect::<Vec<_>>().join(" or ")
        }
        _ => panic!("a type without a name: {schema}"),
    }
}

/// What is said of it, in one line of a table.
pub(crate) fn about(schema: &Value) -> String {
    let text = schema["description"].as_str().unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

/// A table of an object's fields: those that are always there in the order of the type, then the others. Empty for
/// one without.
pub(crate) fn fields(schema: &Value, heading: &str) -> String {
    let Some(all) = schema["properties"].as_object() else { return String::new() };
    let needed: Vec<_> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let others = all.keys().map(String::as_str).filter(|name| !needed.contains(name));
    let mut table = format!("| {heading} | | |\n|---|---|---|\n");
    for name in needed.iter().copied().chain(others) {
        let optional = if needed.contains(&name) { "" } else { ", optional" };
        let field = &all[name];
        let _ = writeln!(table, "| `{name}` | {}{optional} | {} |", words(field), about(field));
    }
    table
}

/// A section a type: its fields, or its words.
pub(crate) fn sections(definitions: &Map<String, Value>, names: &[&str]) -> String {
    let mut text = String::new();
    for name in names {
        let schema = &definitions[*name];
        let _ = writeln!(text, "### {name}\n\n{}\n", about(schema));
        match schema["anyOf"].as_array() {
            Some(known) => text += &vocabulary(known),
            None => text += &fields(schema, "field"),
        }
        text.push('\n');
    }
    text
}

fn vocabulary(known: &[Value]) -> String {
    let mut table = "| word | |\n|---|---|\n".to_owned();
    for word in known.iter().filter(|word| word.get("const").is_some()) {
        let _ = writeln!(table, "| `{}` | {} |", word["title"].as_str().unwrap(), about(word));
    }
    table + "| any other | One of a newer daemon. |\n"
}
