//! The audit of a house: read as an auditor would, and held to its rules.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::house::{House, PASSWORD};
use crate::patience::eventually;
use crate::plan::Plan;

/// What the life of a session begins with, as a daemon tells it.
const BEGINNINGS: [&str; 4] = ["created", "rejected", "resumed", "found"];

/// What it ends with. (The `rejected` of an `add` as well: who brought that token keeps it.)
const ENDS: [&str; 3] = ["confirmed", "forgotten", "dropped"];

impl House {
    /// A house whose daemon audits to a file, [`House::audit_file`].
    #[must_use]
    pub fn audited(plan: Plan) -> Self {
        let mut house = Self::build(plan);
        let key = format!("audit = {:?}\nkeyring = ", house.audit_file());
        house.change_config("keyring = ", &key);
        house.start();
        house
    }

    /// Where its daemon audits to; beside the state folder.
    #[must_use]
    pub fn audit_file(&self) -> PathBuf {
        self.path("disk/audit.jsonl")
    }

    /// The audit so far.
    ///
    /// # Panics
    /// If a line of it is none.
    #[must_use]
    pub fn audit(&self) -> Vec<Value> {
        let path = self.audit_file();
        read(&self.disk.as_ref().map_or(path.clone(), |disk| disk.seen(&path)))
    }

    /// What it tells of a session.
    #[must_use]
    pub fn life(&self, id: &str) -> Vec<Value> {
        self.audit().into_iter().filter(|line| line["session"] == id).collect()
    }

    /// The same, only what happened.
    #[must_use]
    pub fn events(&self, id: &str) -> Vec<String> {
        self.life(id).iter().map(event).collect()
    }

    /// Waits until the audit tells this of a session; the line.
    pub fn eventually_audited(&self, id: &str, wanted: &str) -> Value {
        eventually(&format!("{wanted} in the audit"), || {
            self.life(id).into_iter().rev().find(|line| event(line) == wanted)
        })
    }

    /// Every session that the audit knows has a beginning and an end in it, and between them nothing
    /// is out of order; nothing was attempted that the server has not seen. No secret is in it.
    ///
    /// # Panics
    /// If that is not so.
    pub fn assert_audited(&self) {
        let mut lives: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for line in self.audit() {
            let id = line["session"].as_str().expect("every line is about a session").to_owned();
            lives.entry(id).or_default().push(line);
        }
        for (id, life) in &lives {
            assert_whole(id, life);
        }
        let text = format!("{lives:?}");
        let truth = self.simulator.truth();
        for secret in truth.tokens.iter().map(|token| token.token.as_str()).chain([PASSWORD]) {
            assert!(!text.contains(secret), "{secret:?} is in the audit");
        }
        let attempts = lives.values().flatten().filter(|line| event(line) == "attempt").count();
        assert!(attempts as u64 <= truth.logout_requests, "{attempts} attempts, {truth:?}");
        // Where no daemon was told the server's word, as little of the audit is the server's word.
        let dead = truth.tokens.iter().filter(|token| !token.alive).count();
        let confirmed = lives.values().filter(|life| life.iter().any(|l| event(l) == "confirmed"));
        assert!(confirmed.count() <= dead, "{text}\n{truth:?}");
    }
}

/// The lines of a file, but for those that were cut off.
///
/// # Panics
/// If one is of another format.
#[must_use]
pub fn read(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let lines: Vec<Value> =
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    for line in &lines {
        assert_eq!(line["v"], 1, "{line}");
        let time = line["time"].as_str().expect("it has a time");
        assert!(time.len() == 24 && time.ends_with('Z'), "{line}");
    }
    lines
}

fn event(line: &Value) -> String {
    line["event"].as_str().expect("something happened").to_owned()
}

fn assert_whole(id: &str, life: &[Value]) {
    let events: Vec<String> = life.iter().map(event).collect();
    let told = format!("{id}: {events:?}");
    assert!(BEGINNINGS.contains(&events[0].as_str()), "{told}");
    let last = events.last().expect("it is not empty").as_str();
    let refused = last == "rejected" && life[life.len() - 1]["source"] == "add";
    assert!(ENDS.contains(&last) || refused, "{told}");
    let mut asked = false;
    let mut ended = false;
    for (line, event) in life.iter().zip(&events) {
        match event.as_str() {
            "resumed" => {
                asked = matches!(line["stage"].as_str(), Some("revoking" | "ended"));
                ended = false;
            }
            "revocation-asked" => {
                assert!(!asked && !ended && line["reason"].is_string(), "{told}");
                asked = true;
            }
            "lent" => assert!(!asked && !ended, "lent after the intent: {told}"),
            "attempt" => assert!(asked && !ended, "{told}"),
            "confirmed" => {
                assert!(asked && !ended, "{told}");
                assert!(line["outcome"].is_string() && line["evidence"].is_string(), "{line}");
                ended = true;
            }
            "forgotten" | "dropped" => {
                assert!(!ended, "{told}");
                ended = true;
            }
            _ => assert!(!ended, "{told}"),
        }
    }
}
