//! What had been promised when the power went, as the trace has it.

use std::collections::BTreeMap;

use securid_tests::MortalHouse;
use securid_tests::trace::Pass;

/// What is known of one session.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Fact {
    /// Its token.
    pub(crate) token: String,
    /// Which of the daemon's tokens that is; its record says so.
    pub(crate) generation: u64,
    /// The only place that it may go to, by its record.
    pub(crate) origin: String,
    /// Whether the keyring had it, and has it no more.
    pub(crate) stored: bool,
    pub(crate) deleted: bool,
    /// Whether whoever brought it may know that it is safe.
    pub(crate) acknowledged: bool,
    /// Whether its end was asked for, and whether somebody may know that it is on its way.
    pub(crate) asked: bool,
    pub(crate) accepted: bool,
    pub(crate) given_up: bool,
    /// Whether a `logoutUser` is on its way.
    pub(crate) attempted: bool,
    /// Whether the server had said that it is dead.
    pub(crate) confirmed: bool,
}

/// By id.
pub(crate) type Facts = BTreeMap<String, Fact>;

/// Tokens by id: the server made them in the order in which the daemon took them in.
pub(crate) fn tokens(house: &MortalHouse, passes: &[Pass]) -> BTreeMap<String, String> {
    let made = house.house.simulator.truth().tokens.into_iter().map(|truth| truth.token);
    let begun = passes.iter().filter(|pass| pass.point == "add.begun");
    begun.map(|pass| pass.about.clone()).zip(made).collect()
}

/// What one more pass adds.
pub(crate) fn learn(facts: &mut Facts, pass: &Pass, tokens: &BTreeMap<String, String>) {
    if pass.point == "stop.asked" && pass.about == "false" {
        facts.values_mut().for_each(|fact| fact.asked = true);
    }
    if pass.point == "add.begun" {
        let fact = Fact { token: tokens[&pass.about].clone(), ..Fact::default() };
        facts.insert(pass.about.clone(), fact);
    }
    if pass.point == "record-adding.written" {
        let bytes = pass.line["bytes"].as_array().expect("it has bytes").iter();
        let bytes: Vec<u8> = bytes.map(|b| u8::try_from(b.as_u64().unwrap()).unwrap()).collect();
        let record: serde_json::Value = serde_json::from_slice(&bytes).expect("a record is JSON");
        let fact = facts.get_mut(record["id"].as_str().unwrap()).expect("it was begun");
        fact.generation = record["generation"].as_u64().unwrap();
        record["origin"]["url"].as_str().unwrap().clone_into(&mut fact.origin);
    }
    let Some(fact) = facts.get_mut(&pass.about) else { return };
    match pass.point.as_str() {
        "keyring.put" => fact.stored = true,
        "keyring.deleted" => fact.deleted = true,
        "add.acknowledged" => fact.acknowledged = true,
        "logout.asked" | "replace.asked" | "login.abandoned" => fact.asked = true,
        "logout.answered" => fact.accepted = true,
        "forget.asked" => fact.given_up = true,
        "attempt.begun" => fact.attempted = true,
        "attempt.unconfirmed" => fact.attempted = false,
        "attempt.confirmed" => fact.confirmed = true,
        _ => {}
    }
}
