//! What tests ask a daemon for, in few words.

use securid_simulator::{TokenTruth, Truth};
use serde_json::{Value, json};

use crate::client::RpcFault;
use crate::house::{House, PASSWORD};
use crate::patience::{PATIENCE, eventually};

impl House {
    /// Calls a method on a connection of its own.
    ///
    /// # Errors
    /// The daemon's own.
    pub fn try_call(&self, method: &str, params: Value) -> Result<Value, RpcFault> {
        let answer = self.client().call(method, params);
        if method != "session.token" {
            self.note_heard(&format!("{answer:?}"));
        }
        answer
    }

    /// The same, where an error fails the test.
    ///
    /// # Panics
    /// On an error.
    pub fn call(&self, method: &str, params: Value) -> Value {
        self.try_call(method, params).unwrap_or_else(|e| panic!("{method}: {e:?}"))
    }

    /// The same, where anything but an error fails the test.
    ///
    /// # Panics
    /// On success.
    pub fn refused(&self, method: &str, params: Value) -> RpcFault {
        match self.try_call(method, params) {
            Err(fault) => fault,
            Ok(_) => panic!("{method} was not refused"),
        }
    }

    /// Logs in as the simulator's user; the session's id.
    pub fn login(&self) -> String {
        id_of(&self.call("session.login", json!({"password": PASSWORD})))
    }

    /// Has the daemon take a token over; the session's id.
    pub fn add(&self, token: &str) -> String {
        id_of(&self.call("session.add", json!({"token": token})))
    }

    /// Has the server issue a token and the daemon take it over: the session's id and the token.
    pub fn add_one(&self) -> (String, String) {
        let token = self.simulator.issue("alice");
        (self.add(&token), token)
    }

    /// Has so many tokens issued and taken over.
    pub fn add_many(&self, count: usize) -> Vec<(String, String)> {
        let mut client = self.client();
        let mut held = Vec::new();
        for _ in 0..count {
            let token = self.simulator.issue("alice");
            let taken = client.call("session.add", json!({"token": &token})).expect("it is taken");
            held.push((id_of(&taken), token));
        }
        held
    }

    /// The token of a session.
    pub fn token(&self, id: &str) -> String {
        let lent = self.call("session.token", json!({"session": id}));
        lent["token"].as_str().expect("a token is text").to_owned()
    }

    /// All sessions.
    pub fn sessions(&self) -> Vec<Value> {
        let mut sessions = Vec::new();
        let mut cursor = Value::Null;
        loop {
            let params = if cursor.is_null() { json!({}) } else { json!({"cursor": cursor}) };
            let page = self.call("session.list", params);
            sessions.extend(page["sessions"].as_array().expect("a list").iter().cloned());
            cursor = page["cursor"].clone();
            if cursor.is_null() {
                return sessions;
            }
        }
    }

    /// One of them, if it is in the list.
    pub fn session(&self, id: &str) -> Option<Value> {
        self.sessions().into_iter().find(|session| session["id"] == *id)
    }

    /// Its state, or `gone`.
    pub fn state(&self, id: &str) -> String {
        let state = self.session(id).map(|session| session["state"].clone());
        state.and_then(|s| s.as_str().map(str::to_owned)).unwrap_or_else(|| "gone".to_owned())
    }

    /// Asks for the end of a session and waits for it so long.
    pub fn logout(&self, id: &str, wait: &str) -> Value {
        let view = self.call("session.logout", json!({"sessions": [id], "wait": wait}));
        assert!(view.get("refused").is_none(), "{view}");
        assert_eq!(view["sessions"].as_array().map(Vec::len), Some(1), "{view}");
        view["sessions"][0].clone()
    }

    /// What the history says of a session, if it has ended.
    pub fn ended(&self, id: &str) -> Option<Value> {
        let history = self.call("session.history", json!({}));
        let lines = history["sessions"].as_array().expect("a list").clone();
        lines.into_iter().find(|line| line["id"] == *id)
    }

    /// Waits until the session stands in the history; what it says.
    pub fn eventually_ended(&self, id: &str) -> Value {
        eventually("the session in the history", || self.ended(id))
    }

    /// Waits until the truth is as wanted.
    ///
    /// # Panics
    /// If it never is.
    pub fn eventually_true(&self, what: &str, wanted: impl FnMut(&Truth) -> bool) {
        assert!(self.simulator.wait_until(PATIENCE, wanted), "waited in vain for {what}");
    }

    /// What became of a token.
    pub fn fate(&self, token: &str) -> TokenTruth {
        self.simulator.truth().token(token).expect("the server issued it").clone()
    }

    /// Waits until nothing of any ended session is left: neither record nor secret.
    pub fn eventually_empty(&self) {
        eventually("record and secret to go", || {
            (self.records().is_empty() && self.secrets() == 0).then_some(())
        });
    }

    /// Everything that the daemon told, but for the tokens that it lent.
    pub fn heard(&self) -> String {
        self.heard.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }
}

fn id_of(session: &Value) -> String {
    let id = session["id"].as_str().expect("a session has an id");
    assert_eq!(id.len(), 16, "{id}");
    id.to_owned()
}
