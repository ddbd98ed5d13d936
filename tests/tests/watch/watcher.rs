//! A connection that has subscribed, read by hand.

use securid_tests::{Client, House};
use serde_json::{Value, json};

pub(crate) struct Watcher {
    client: Client,
    seq: u64,
}

impl Watcher {
    /// One that has read nothing but the answer.
    pub(crate) fn new(house: &House) -> Self {
        let mut client = house.client();
        assert_eq!(client.call("events.subscribe", json!({})), Ok(json!({})));
        Self { client, seq: 0 }
    }

    /// One that has been told all that there is.
    pub(crate) fn ready(house: &House) -> Self {
        let mut watcher = Self::new(house);
        watcher.until("ready");
        watcher
    }

    /// The next event; none if the daemon has closed the connection.
    pub(crate) fn next(&mut self) -> Option<Value> {
        let mut told = self.client.receive()?;
        assert_eq!((&told["method"], told.get("id")), (&json!("event"), None), "{told}");
        self.seq += 1;
        assert_eq!(told["params"]["seq"], self.seq, "{told}");
        Some(told["params"].take())
    }

    /// What is told to the first event of this kind, the last one.
    pub(crate) fn until(&mut self, event: &str) -> Vec<Value> {
        let mut told = Vec::new();
        while told.last().is_none_or(|last: &Value| last["event"] != event) {
            told.push(self.next().unwrap_or_else(|| panic!("closed after {told:?}")));
        }
        told
    }

    /// What is told until a session is as wanted, which it is last.
    pub(crate) fn until_it(&mut self, wanted: impl Fn(&Value) -> bool) -> Vec<Value> {
        let mut told = Vec::new();
        while !told.last().is_some_and(|last: &Value| wanted(&last["session"])) {
            told.push(self.next().unwrap_or_else(|| panic!("closed after {told:?}")));
        }
        told
    }

    /// Whether something more is told within that time.
    pub(crate) fn hears_within(&mut self, limit: std::time::Duration) -> Option<Value> {
        self.client.receive_within(limit)
    }
}
