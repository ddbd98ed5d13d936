//! What must hold for any bytes in the index.

#![allow(clippy::unwrap_used)]

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde_json::Value;

use super::*;

/// It comes to what a plain reading of its lines comes to, and to the same when that is written and
/// read again.
pub fn index(bytes: &[u8]) {
    let identity = Identity { machine: "0123456789abcdef".repeat(2), boot: String::new() };
    let mut index = Index::new(Path::new("/nowhere"), &identity);
    let strange = index.take_all(whole(bytes));

    let mut live = BTreeMap::new();
    let mut senseless = 0;
    let lines: Vec<_> = bytes.split(|&byte| byte == b'\n').collect();
    // Serde also takes the list of a struct's values for the struct.
    if lines.iter().any(|line| line.trim_ascii_start().starts_with(b"[")) {
        return;
    }
    let (unfinished, finished) = lines.split_last().unwrap();
    // A crash may leave zeros where a line was to be; and part of one, which is no damage.
    let unfinished = unfinished.split(|&byte| byte == 0).next().filter(|line| read(line).is_some());
    for line in finished.iter().copied().chain(unfinished).filter(|line| !line.is_empty()) {
        let read = read(line).and_then(|(id, keyring, gone)| {
            let id = SessionId::parse(&id)?;
            (keyring.is_some() != gone).then_some((id, keyring))
        });
        match read {
            Some((id, Some(keyring))) => drop(live.insert(id, keyring.into())),
            Some((id, None)) => drop(live.remove(&id)),
            None => senseless += 1,
        }
    }
    assert_eq!((&index.live, strange), (&live, senseless));

    let written = text(index.sessions().map(|(id, keyring)| Line::there(id, keyring))).unwrap();
    let mut again = Index::new(Path::new("/nowhere"), &identity);
    assert_eq!(again.take_all(whole(&written)), 0);
    assert_eq!(again.live, live);
}

/// A line's members, of the right types and none of them twice.
fn read(line: &[u8]) -> Option<(String, Option<String>, bool)> {
    let Members(members) = serde_json::from_slice(line).ok()?;
    let mut names: Vec<_> = members.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    if names.windows(2).any(|two| two[0] == two[1]) {
        return None;
    }
    let (mut id, mut keyring, mut gone) = (None, None, false);
    for (name, value) in members {
        match (name.as_str(), value) {
            ("id", Value::String(text)) => id = Some(text),
            ("keyring", Value::String(text)) => keyring = Some(text),
            ("keyring", Value::Null) => {}
            ("gone", Value::Bool(yes)) => gone = yes,
            _ => return None,
        }
    }
    Some((id?, keyring, gone))
}

/// An object, with members that may stand there twice.
struct Members(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;

        impl<'de> Visitor<'de> for Pairs {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    members.push(pair);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Pairs)
    }
}
