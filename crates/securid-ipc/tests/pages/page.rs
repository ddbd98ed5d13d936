//! `docs/protocol.md`: what of it follows from the types stands between marks; the rest is written by hand.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use securid_ipc::messages::ErrorCode;
use securid_manual::{keep, keep_all, of_document};
use serde_json::{Map, Value};

use super::{
    golden,
    methods::{self, Method},
    schema::{self, name_of},
    shape,
};

#[test]
fn the_page_follows_from_the_types() {
    let document = schema::document();
    let definitions = document["$defs"].as_object().unwrap();
    let mut page = fs::read_to_string(file()).unwrap();
    let told = told(definitions);
    for (name, text) in [
        ("methods", methods::all().iter().map(|method| section(method, definitions)).collect()),
        ("events", events(&definitions["Event"])),
        ("types", shape::sections(definitions, &told)),
        ("errors", errors(definitions)),
    ] {
        let [begin, end] = ["begin", "end"].map(|mark| format!("<!-- {name}: {mark} -->\n"));
        let (before, rest) = page.split_once(&begin).expect(&begin);
        let (_, after) = rest.split_once(&end).expect(&end);
        page = [before, &*begin, &*text, &*end, after].concat();
    }
    keep("docs/protocol.md", &page);
    let about = "the protocol of securid-sessiond, for programs that speak to it";
    let others = ["securid-sessiond(8)", "securid-ctl(1)"];
    keep_all("securid-protocol", &[of_document("securid-protocol", "7", about, &page, &others)]);
}

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/protocol.md")
}

/// The types of results and errors, and of what is in them.
fn told(definitions: &Map<String, Value>) -> Vec<&str> {
    let mut found = BTreeSet::new();
    let mut to_do: Vec<&Value> =
        definitions.iter().filter(|(name, _)| name.ends_with(".result")).map(|it| it.1).collect();
    to_do.push(&definitions["RpcError"]);
    found.insert("RpcError");
    while let Some(schema) = to_do.pop() {
        if let Some(name) = name_of(schema)
            && found.insert(name)
        {
            to_do.push(&definitions[name]);
        }
        match schema {
            Value::Object(members) => to_do.extend(members.values()),
            Value::Array(items) => to_do.extend(items),
            _ => {}
        }
    }
    // These are said where they are used, and the codes have a table of their own.
    for name in ["Secret", "Time", "Duration", "ErrorCode"] {
        found.remove(name);
    }
    found.into_iter().collect()
}

fn section(method: &Method, definitions: &Map<String, Value>) -> String {
    let mut text = format!("### `{}`\n\n{}\n\n", method.name, method.about);
    let example = golden::of(method).swap_remove(0);
    let _ = writeln!(text, "```json\n{}\n{}\n```\n", example.request, example.reply);
    let params = name_of(&definitions[method.name]["properties"]["params"]).unwrap();
    let params = shape::fields(&definitions[params], "parameter");
    let _ = match params.as_str() {
        "" => writeln!(text, "No parameters.\n"),
        table => writeln!(text, "{table}"),
    };
    let result = shape::words(&definitions[&format!("{}.result", method.name)]);
    let _ = writeln!(text, "Result: {result}. {}\n", own_errors(method));
    text
}

fn own_errors(method: &Method) -> String {
    if method.errors.is_empty() {
        return "Errors: those of [any method](#errors).".to_owned();
    }
    let mut own = method.errors.to_vec();
    own.sort_by_key(|code| -i32::from(*code));
    let own = own.iter().map(|code| format!("{} {}", i32::from(*code), code.name()));
    format!("Errors: {}, and those of [any method](#errors).", own.collect::<Vec<_>>().join(", "))
}

fn events(event: &Value) -> String {
    let mut text = format!("```json\n{}\n```\n\n", golden::events().join("\n"));
    text += "| event | with | |\n|---|---|---|\n";
    for kind in event["oneOf"].as_array().unwrap() {
        let fields = kind["properties"].as_object().unwrap();
        let Some(name) = fields["event"]["const"].as_str() else { continue };
        let with = fields.iter().filter(|(name, _)| *name != "event");
        let with = with.map(|(name, field)| format!("`{name}`: {}", shape::words(field)));
        let with = with.collect::<Vec<_>>().join(", ");
        let _ = writeln!(text, "| `{name}` | {with} | {} |", shape::about(kind));
    }
    text
}

fn errors(definitions: &Map<String, Value>) -> String {
    let known = definitions["ErrorCode"]["anyOf"].as_array().unwrap();
    let mut table =
        "| code | name | means | of any method | exit status of `securid-ctl` |\n|---|---|---|---|---|\n".to_owned();
    for code in ErrorCode::ALL {
        let number = i32::from(*code);
        let about = known.iter().find(|known| known["const"] == number).map(shape::about).unwrap();
        let of_any = if methods::OF_ANY.contains(code) { "yes" } else { "" };
        let (name, exit) = (code.name(), code.exit_code());
        let _ = writeln!(table, "| {number} | {name} | {about} | {of_any} | {exit} |");
    }
    table
}
