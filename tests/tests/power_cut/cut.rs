//! One power cut, and what the daemon makes of what is left.

use std::collections::HashMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use securid_secret::SecretBytes;
use securid_session::{Generation, Key, SessionId};
use securid_simulator::Fault;
use securid_store::{Entry, Identity, Namespace};
use securid_tests::{Died, MortalHouse};
use serde_json::{Value, json};

use crate::facts::{Fact, Facts};
use crate::platter::Image;

/// A disk as a power cut leaves it, and what must be known of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Cut {
    pub(crate) image: Image,
    pub(crate) facts: Facts,
    /// Whether a `logoutUser` that was on its way was carried out.
    pub(crate) carried_out: bool,
    /// Whether secrets that were deleted are back: the keyring's own disk had a power cut, too.
    pub(crate) undeleted: bool,
    /// Whether the machine was booted; else it is as if a snapshot of it had gone on.
    pub(crate) rebooted: bool,
}

impl Cut {
    /// Starts a daemon on it, with a server that refuses logouts at first, and stops it.
    ///
    /// # Panics
    /// If a promise is broken.
    pub(crate) fn judge(&self, house: &mut MortalHouse) {
        self.lay_out(house);
        self.set_the_server(house);
        house.house.boot(self.rebooted.then_some("the next boot"));
        house.start().expect("it comes up on any disk");
        let states = states(house).expect("it lives");
        for (id, fact) in &self.facts {
            self.is_known(house, id, fact, states.get(id).map(String::as_str));
        }
        house.house.simulator.set_fault_for("logoutUser", None);
        house
            .until("the end of what was accepted", |house| {
                let alive = |fact: &Fact| house.house.fate(&fact.token).alive;
                let mut accepted = self.facts.values().filter(|f| f.accepted && !f.given_up);
                accepted.all(|fact| !alive(fact)).then_some(())
            })
            .expect("it lives");
        house.terminate().expect("it ends well");
        self.all_is_over(house);
    }

    fn lay_out(&self, house: &MortalHouse) {
        let house = &house.house;
        for folder in [house.state_dir(), house.path("store")] {
            // There may be none.
            let _ = fs::remove_dir_all(folder);
        }
        let _ = fs::remove_file(house.path("daemon.log"));
        fs::create_dir(house.path("store")).unwrap();
        for (path, bytes) in &self.image {
            match bytes {
                None => {
                    fs::create_dir(path).unwrap();
                    fs::set_permissions(path, Permissions::from_mode(0o700)).unwrap();
                }
                Some(bytes) => fs::write(path, bytes).unwrap(),
            }
        }
        if house.sealed_file_is_used() {
            // It is part of the image.
            return;
        }
        let machine = Identity::read().unwrap().machine;
        // The folder itself may be gone; whoever makes it anew makes it in the same place.
        let disk = house.path("disk").canonicalize().unwrap();
        let namespace = Namespace::new(&machine, &disk.join("state"));
        for (id, fact) in &self.facts {
            if fact.stored && (!fact.deleted || self.undeleted) {
                let name = format!("store/{}.{id}", namespace.as_str());
                fs::write(house.path(&name), fact.sealed(id)).unwrap();
            }
        }
    }

    fn set_the_server(&self, house: &MortalHouse) {
        let server = &house.house.simulator;
        for fact in self.facts.values() {
            if fact.confirmed || (fact.attempted && self.carried_out) {
                server.expire(&fact.token);
            } else {
                server.revive(&fact.token);
            }
        }
        server.set_fault_for("logoutUser", Some(Fault::Status(503)));
    }

    fn is_known(&self, house: &mut MortalHouse, id: &str, fact: &Fact, state: Option<&str>) {
        let must = fact.acknowledged && !fact.confirmed && !fact.given_up;
        match state {
            None => assert!(!must, "{id} was acknowledged, and is not known: {fact:?}"),
            Some("active") => {
                assert!(!self.rebooted, "{id} is active after a boot");
                assert!(!fact.accepted && !fact.confirmed, "{id} is active again: {fact:?}");
                let lent = house.house.token(id);
                assert_eq!(lent, fact.token, "the token of another session for {id}");
            }
            Some("revoking") => {
                let may = self.rebooted || fact.asked || !fact.acknowledged;
                assert!(may, "nobody asked for the end of {id}: {fact:?}");
            }
            Some(other) => panic!("{id} is {other}: {fact:?}"),
        }
    }

    fn all_is_over(&self, house: &MortalHouse) {
        let history = fs::read(house.house.state_dir().join("history.jsonl")).unwrap_or_default();
        let lines: Vec<Value> = history
            .split(|byte| *byte == b'\n')
            .filter_map(|line| serde_json::from_slice(line).ok())
            .collect();
        for (id, fact) in &self.facts {
            let its: Vec<&Value> = lines.iter().filter(|line| line["id"] == **id).collect();
            let found_again = its.iter().any(|line| line["reason"] == "orphan");
            assert!(!found_again || fact.deleted, "{id} was known by its secret alone: {fact:?}");
            if fact.acknowledged && !fact.given_up {
                assert!(!house.house.fate(&fact.token).alive, "{id} is alive: {fact:?}");
                assert!(!its.is_empty(), "{id} does not stand in the history: {fact:?}");
            }
        }
        assert_eq!(house.house.records().len(), 0, "records are left");
        assert_eq!(house.house.secrets(), 0, "secrets are left");
        assert!(!house.house.state_dir().join("damaged").exists(), "a record was damaged");
        assert!(!house.house.log().contains("panicked"), "the daemon panicked");
    }
}

impl Fact {
    fn sealed(&self, id: &str) -> SecretBytes {
        let id = SessionId::parse(id).expect("it is an id");
        let entry = Entry {
            key: Key { id, generation: Generation(self.generation) },
            origin: self.origin.clone(),
            token: SecretBytes::from(self.token.as_bytes()),
        };
        entry.seal()
    }
}

fn states(house: &mut MortalHouse) -> Result<HashMap<String, String>, Died> {
    let view = house.ask("session.list", json!({}))?.expect("a list is never refused");
    let text = |value: &Value| value.as_str().expect("it is text").to_owned();
    let sessions = view["sessions"].as_array().expect("a list");
    Ok(sessions.iter().map(|s| (text(&s["id"]), text(&s["state"]))).collect())
}
