//! What has to hold when a daemon comes back after another's death, whatever it died of.

use std::collections::HashSet;
use std::fs;

use securid_simulator::{Fault, Truth};
use serde_json::{Value, json};

use crate::mortal::{Died, Mortal, MortalHouse, PATIENT, SWIFT, Server, Told};

impl MortalHouse {
    /// The first daemon is dead: from here on everything goes fast, and what was held back is not.
    pub fn after_the_death(&mut self) {
        self.house.change_config(PATIENT, SWIFT);
        self.killed_at = None;
        self.dies_at = None;
        if self.house.path("store/fault").exists() {
            self.house.set_keyring_fault(None);
        }
        self.house.simulator.set_fault_for("loginUser", None);
    }

    /// Another daemon comes up while the server is still as it is, finds a server that is well, and
    /// is stopped.
    ///
    /// # Panics
    /// If anything is not as it was promised.
    pub fn recover(&mut self) -> Mortal<()> {
        self.misbehave_for_good();
        self.start()?;
        self.all_are_known()?;
        self.heal();
        self.accepted_ones_die()?;
        self.history_has_each_once()?;
        // A daemon that is stopped at once leaves that to the next one.
        self.until("what is damaged to be set aside", |this| {
            (this.house.state_dir().join("damaged").exists() || !this.damaged).then_some(())
        })?;
        self.terminate()
    }

    fn misbehave_for_good(&mut self) {
        if self.server == Server::IsDown {
            self.house.simulator.set_fault_for("logoutUser", None);
            self.house.simulator.set_fault(Some(Fault::Down));
        } else {
            self.misbehave();
        }
    }

    fn heal(&self) {
        self.house.simulator.set_fault_for("logoutUser", None);
        self.house.simulator.set_fault(None);
    }

    /// What somebody was told of is in the list as what it is, or the server says that it is dead.
    fn all_are_known(&mut self) -> Mortal<()> {
        // One without a record is looked for beside everything else.
        self.until("sessions without a record", |this| {
            let (listed, history) = (this.list()?, this.history());
            let found = |told: &Told| listed.iter().chain(&history).any(|s| s["id"] == told.id);
            this.told.iter().filter(|told| told.unrecorded).all(found).then_some(())
        })?;
        let listed = self.list().ok_or(Died)?;
        // After the list: what is alive now was alive then.
        let truth = self.house.simulator.truth();
        for told in self.told.clone() {
            let session = listed.iter().find(|session| session["id"] == told.id);
            let state = session.and_then(|session| session["state"].as_str());
            self.is_known(&told, is_alive(&truth, &told), state)?;
        }
        assert!(!listed.iter().any(|session| session["state"] == "lost"), "{listed:?}");
        Ok(())
    }

    fn is_known(&mut self, told: &Told, alive: bool, state: Option<&str>) -> Mortal<()> {
        match state {
            None => assert!(!alive || told.given_up, "forgotten alive: {told:?}"),
            Some("active") => {
                assert!(!told.accepted && !told.given_up, "active again: {told:?}");
                let lent = self.expect("session.token", json!({"session": told.id}))?;
                assert_eq!(lent["token"], json!(told.token), "the token of another: {told:?}");
            }
            Some("revoking") => {
                assert!(told.asked, "nobody asked for its end: {told:?}");
                let lent = self.ask("session.token", json!({"session": told.id}))?;
                assert!(lent.is_err(), "lent while its end is on its way: {told:?}");
            }
            Some(other) => panic!("{told:?} is {other}"),
        }
        Ok(())
    }

    /// Nobody asks again: what was accepted dies as soon as the server is well.
    fn accepted_ones_die(&mut self) -> Mortal<()> {
        self.until("the end of what was accepted", |this| {
            let truth = this.house.simulator.truth();
            let mut waiting = this.told.iter().filter(|told| told.accepted && !told.given_up);
            waiting.all(|told| !is_alive(&truth, told)).then_some(())
        })
    }

    fn history_has_each_once(&mut self) -> Mortal<()> {
        let history = self.expect("session.history", json!({}))?;
        let mut seen = HashSet::new();
        for line in history["sessions"].as_array().expect("a list") {
            assert!(seen.insert(line["id"].clone()), "it stands there twice: {history}");
        }
        Ok(())
    }

    /// The lines of the history's file.
    fn history(&self) -> Vec<Value> {
        let history = fs::read_to_string(self.house.state_dir().join("history.jsonl"));
        // One without an end is being written just now.
        let whole = |line: &&str| line.ends_with('\n');
        let lines: Vec<_> = history.iter().flat_map(|h| h.split_inclusive('\n')).collect();
        let line = |line| match serde_json::from_str(line) {
            Ok(line) => Some(line),
            Err(_) if self.damaged => None,
            Err(error) => panic!("a line is damaged: {error}"),
        };
        lines.into_iter().filter(whole).filter_map(line).collect()
    }

    /// After the end of the last daemon: the tokens of logins that nobody knows of and that are
    /// alive. All else is dead, stands in the history, and has left nothing behind.
    ///
    /// # Panics
    /// If that is not so.
    pub fn nothing_is_left(&self) -> Vec<String> {
        let truth = self.house.simulator.truth();
        let lines = self.history();
        for told in &self.told {
            assert!(!is_alive(&truth, told) || told.given_up, "alive after all: {told:?}");
            let its = lines.iter().filter(|line| line["id"] == told.id).count();
            assert_eq!(its, 1, "lines in the history: {told:?}");
        }
        assert_eq!(self.house.records().len(), 0, "records are left");
        assert_eq!(self.house.secrets(), 0, "secrets are left");
        assert_eq!(self.house.state_dir().join("damaged").exists(), self.damaged);
        assert_eq!(truth.logouts_of_unknown_tokens, 0, "a garbled token was sent");
        let log = self.house.log();
        assert!(!log.contains("panicked"), "a daemon panicked");
        let alive = truth.alive();
        self.unknown().into_iter().filter(|token| alive.contains(&token.as_str())).collect()
    }
}

fn is_alive(truth: &Truth, told: &Told) -> bool {
    truth.token(&told.token).expect("the server issued it").alive
}
