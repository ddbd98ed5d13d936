//! Golden messages: request and reply by turns, byte for byte as they are on the wire, one file a method.
//!
//! A line that has to be changed for a test to pass is a change of the protocol.

use std::{collections::BTreeSet, fs, path::Path};

use securid_ipc::{
    envelope::{self, Asked, Id, Request},
    messages::{Call, Event, News, RpcError},
};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use super::methods::{self, Method};

/// Of what is said without having been asked.
const EVENTS: &str = "event";

/// One request, and what is answered.
pub(crate) struct Exchange {
    pub(crate) request: String,
    pub(crate) reply: String,
}

#[derive(Deserialize)]
struct Reply {
    result: Option<Box<RawValue>>,
    error: Option<Box<RawValue>>,
}

/// What was said of one method.
pub(crate) fn of(method: &Method) -> Vec<Exchange> {
    let lines = lines(method.name);
    let (exchanges, rest) = lines.as_chunks();
    assert!(rest.is_empty() && !exchanges.is_empty(), "{}: a reply is missing", method.name);
    exchanges.iter().cloned().map(|[request, reply]| Exchange { request, reply }).collect()
}

/// Each kind of event.
pub(crate) fn events() -> Vec<String> {
    lines(EVENTS)
}

fn lines(name: &str) -> Vec<String> {
    let file = folder().join(format!("{name}.jsonl"));
    let text = fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    text.lines().map(str::to_owned).collect()
}

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden"))
}

/// Each method's exchanges: its request, the request's id, and the two halves of the reply.
fn each(mut look: impl FnMut(&Method, &Exchange, Reply)) {
    for method in methods::all() {
        for exchange in of(&method) {
            let reply = serde_json::from_str(&exchange.reply).expect(&exchange.reply);
            look(&method, &exchange, reply);
        }
    }
}

#[test]
fn each_file_is_a_method_s() {
    let files: BTreeSet<_> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let methods = methods::all().into_iter().map(|method| method.name);
    let known = methods.chain([EVENTS]).map(|name| format!("{name}.jsonl")).collect();
    assert_eq!(files, known);
}

#[test]
fn requests_come_back_byte_for_byte() {
    each(|method, exchange, _| {
        let greeting = r#"{"jsonrpc":"2.0","id":1,"method":"daemon.hello"}"#;
        let asked = Request::parse(exchange.request.as_bytes()).asked.expect(&exchange.request);
        let (call, expected) = match asked {
            Asked::Call(call) => (call, format!("{greeting}\n{}\n", exchange.request)),
            Asked::Hello => (Call::Status, format!("{}\n", exchange.request)),
        };
        let sent = envelope::greet_and_call(1, 2, &call).unwrap();
        let sent = std::str::from_utf8(sent.filled()).unwrap();
        assert!(sent.starts_with(&expected), "{}: sent {sent}, not {expected}", method.name);
    });
}

#[test]
fn replies_come_back_byte_for_byte() {
    let (mut results, mut errors) = (0, 0);
    each(|method, exchange, reply| {
        let id = Request::parse(exchange.request.as_bytes()).id.unwrap_or_else(Id::null);
        let again = match (reply.result, reply.error) {
            (Some(result), None) => {
                results += 1;
                let again = (method.reread)(result.get()).expect(&exchange.reply);
                envelope::answer(&id, Ok(&RawValue::from_string(again).unwrap()))
            }
            (None, Some(error)) => {
                errors += 1;
                let error: RpcError = serde_json::from_str(error.get()).expect(&exchange.reply);
                let known = methods::OF_ANY.iter().chain(method.errors);
                assert!(
                    known.clone().any(|code| *code == error.code),
                    "{}: {error:?}",
                    method.name
                );
                envelope::answer(&id, Err::<&Value, _>(&error))
            }
            _ => panic!("neither result nor error: {}", exchange.reply),
        };
        let again = again.unwrap();
        assert_eq!(std::str::from_utf8(again.filled()).unwrap().trim_end(), exchange.reply);
    });
    assert!(results > 15 && errors > 5, "{results} results, {errors} errors");
}

#[test]
fn events_come_back_byte_for_byte() {
    #[derive(Deserialize)]
    struct Notification {
        params: Box<RawValue>,
    }
    for line in events() {
        let notification: Notification = serde_json::from_str(&line).expect(&line);
        let event: Event = serde_json::from_str(notification.params.get()).expect(&line);
        let again = envelope::notification(&event).unwrap();
        assert_eq!(std::str::from_utf8(again.filled()).unwrap().trim_end(), line);
    }
    let newer: Event = serde_json::from_str(r#"{"seq":5,"event":"newer","more":1}"#).unwrap();
    assert_eq!(newer, Event { seq: 5, news: News::Other });
}

#[test]
fn what_a_newer_daemon_adds_is_ignored() {
    each(|method, _, reply| {
        let Some(result) = reply.result else { return };
        let known: Value = serde_json::from_str(result.get()).unwrap();
        let mut newer = known.clone();
        add_fields(&mut newer);
        assert_ne!(newer, known);
        let understood = (method.reread)(&newer.to_string()).expect(method.name);
        assert_eq!(serde_json::from_str::<Value>(&understood).unwrap(), known, "{}", method.name);
    });
}

#[test]
fn words_of_a_newer_daemon_are_kept() {
    let mut words = 0;
    each(|method, _, reply| {
        let Some(result) = reply.result else { return };
        let mut newer: Value = serde_json::from_str(result.get()).unwrap();
        words += change_words(&mut newer);
        let understood = (method.reread)(&newer.to_string()).expect(method.name);
        assert_eq!(serde_json::from_str::<Value>(&understood).unwrap(), newer, "{}", method.name);
    });
    assert!(words > 10, "{words}");
}

/// One more to each object.
fn add_fields(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.values_mut().for_each(add_fields);
            fields.insert("a_newer_one".to_owned(), serde_json::json!([{"of": "a newer daemon"}]));
        }
        Value::Array(items) => items.iter_mut().for_each(add_fields),
        _ => {}
    }
}

/// Another word in the place of each that is one of a vocabulary; how many there were.
fn change_words(value: &mut Value) -> usize {
    match value {
        Value::Object(fields) => fields
            .iter_mut()
            .map(|(name, value)| match (name.as_str(), &value) {
                ("state" | "reason" | "outcome", Value::String(_)) => {
                    *value = "of-a-newer-daemon".into();
                    1
                }
                _ => change_words(value),
            })
            .sum(),
        Value::Array(items) => items.iter_mut().map(change_words).sum(),
        _ => 0,
    }
}
