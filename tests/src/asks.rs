//! What clients ask of a daemon that may die, and the account of what they were told.

use rustix::process::Signal;
use securid_simulator::Fault;
use serde_json::{Value, json};

use crate::client::Client;
use crate::house::PASSWORD;
use crate::mortal::{AtServer, Died, Mortal, MortalHouse, Server, Told};

impl MortalHouse {
    /// Hands a token over; its place in `told`, if somebody was told.
    pub fn add(&mut self) -> Mortal<usize> {
        let token = self.house.simulator.issue("alice");
        self.brought.push(token.clone());
        let session = self.expect("session.add", json!({"token": token}))?;
        Ok(self.tell(&session, token))
    }

    /// The same where it is to be refused.
    ///
    /// # Panics
    /// If it is not.
    pub fn add_in_vain(&mut self) -> Mortal<()> {
        let token = self.house.simulator.issue("alice");
        self.brought.push(token.clone());
        let answer = self.ask("session.add", json!({"token": token}))?;
        assert!(answer.is_err(), "it was taken in: {answer:?}");
        Ok(())
    }

    /// Logs in.
    ///
    /// # Panics
    /// If there is not exactly one token for which that can have been.
    pub fn login(&mut self, replace: bool) -> Mortal<usize> {
        self.hold_back(AtServer::LoginAnswered);
        let params = json!({"password": PASSWORD, "replace": replace});
        let session = self.expect("session.login", params)?;
        let unknown = self.unknown();
        assert_eq!(unknown.len(), 1, "{unknown:?}");
        Ok(self.tell(&session, unknown.concat()))
    }

    /// Logs in and goes away before the answer.
    pub fn login_and_leave(&mut self) -> Mortal<()> {
        let Ok(mut client) = Client::connect(&self.house.socket()) else { return Err(Died) };
        client.send("session.login", json!({"password": PASSWORD}));
        drop(client);
        self.until("a login", |this| {
            let ended = this.house.state_dir().join("history.jsonl").exists();
            (ended || !this.house.records().is_empty()).then_some(())
        })
    }

    /// The tokens that the server made for logins of which nobody was told.
    #[must_use]
    pub fn unknown(&self) -> Vec<String> {
        let truth = self.house.simulator.truth();
        let known = |token: &String| {
            self.brought.contains(token) || self.told.iter().any(|told| told.token == *token)
        };
        truth.tokens.into_iter().map(|t| t.token).filter(|token| !known(token)).collect()
    }

    /// Asks for a token, and checks that it is the right one.
    ///
    /// # Panics
    /// If it is not.
    pub fn token(&mut self, which: usize, span: Option<&str>) -> Mortal<()> {
        let told = self.told[which].clone();
        let mut params = json!({"session": told.id});
        if let Some(span) = span {
            params["for"] = json!(span);
        }
        let lent = self.expect("session.token", params)?;
        assert_eq!(lent["token"], json!(told.token), "the token of another session");
        Ok(())
    }

    /// Touches a session.
    pub fn touch(&mut self, which: usize) -> Mortal<()> {
        let id = self.told[which].id.clone();
        self.expect("session.touch", json!({"session": id})).map(drop)
    }

    /// Holds a session as long as this daemon lives.
    ///
    /// # Panics
    /// If it is refused.
    pub fn hold(&mut self, which: usize) -> Mortal<()> {
        let id = self.told[which].id.clone();
        let Ok(mut client) = Client::connect(&self.house.socket()) else { return Err(Died) };
        match client.call_until_gone("session.hold", json!({"session": id})) {
            None => Err(Died),
            Some(held) => {
                held.expect("it is active");
                self.holders.push(client);
                Ok(())
            }
        }
    }

    /// From here on the server treats logouts as this house is to see it.
    pub fn misbehave(&mut self) {
        let fault = match self.server {
            Server::Confirms => None,
            Server::HasEndedThem => {
                self.end_all_tokens();
                None
            }
            Server::LosesReplies => Some(Fault::ReplyLost),
            Server::IsDown => Some(Fault::Status(503)),
        };
        self.house.simulator.set_fault_for("logoutUser", fault);
    }

    /// Until [`MortalHouse::misbehave`], no logout succeeds.
    pub fn refuse_logouts(&self) {
        self.house.simulator.set_fault_for("logoutUser", Some(Fault::Status(503)));
    }

    fn end_all_tokens(&self) {
        for token in self.house.simulator.truth().alive() {
            self.house.simulator.expire(token);
        }
    }

    /// Asks for the end of sessions; they are accepted when the answer comes.
    ///
    /// # Panics
    /// If the answer says that an intent is not durable.
    pub fn logout(&mut self, which: &[usize]) -> Mortal<()> {
        self.hold_back(AtServer::LogoutArrived);
        self.hold_back(AtServer::LogoutAnswered);
        let ids: Vec<String> = which.iter().map(|&i| self.told[i].id.clone()).collect();
        which.iter().for_each(|&i| self.told[i].asked = true);
        let view = self.expect("session.logout", json!({"sessions": ids}))?;
        let items = view["sessions"].as_array().expect("a list").clone();
        assert!(items.iter().all(|item| item["durable"] == true), "{view}");
        assert_eq!(items.len(), which.len(), "{view}");
        which.iter().for_each(|&i| self.told[i].accepted = true);
        Ok(())
    }

    /// Has all that is pending tried now.
    pub fn retry(&mut self) -> Mortal<()> {
        self.expect("session.retry", json!({})).map(drop)
    }

    /// Gives a session up.
    pub fn forget(&mut self, which: usize) -> Mortal<()> {
        self.told[which].given_up = true;
        let id = self.told[which].id.clone();
        self.expect("session.forget", json!({"session": id})).map(drop)
    }

    /// SIGTERM, which asks for the end of everything; the daemon has to end well.
    ///
    /// # Panics
    /// If it ends otherwise, but for dying.
    pub fn terminate(&mut self) -> Mortal<()> {
        self.told.iter_mut().for_each(|told| told.asked = true);
        self.hold_back(AtServer::LogoutArrived);
        self.hold_back(AtServer::LogoutAnswered);
        self.house.signal(Signal::TERM);
        self.wait_for_end()
    }

    /// `stop --keep`.
    pub fn stop_keeping(&mut self) -> Mortal<()> {
        self.expect("daemon.stop", json!({"keep": true}))?;
        self.wait_for_end()
    }

    fn tell(&mut self, session: &Value, token: String) -> usize {
        let id = session["id"].as_str().expect("a session has an id").to_owned();
        self.told.push(Told { id, token, ..Told::default() });
        self.told.len() - 1
    }
}
