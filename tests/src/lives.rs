//! Short lives of daemons, which between them pass every crash point there is.

use std::fs;

use serde_json::json;

use crate::mortal::{AtServer, Died, Mortal, MortalHouse};

/// What is played: everything up to its end, however often the daemon dies of it.
#[derive(Clone, Copy)]
pub struct Life {
    /// What it is called.
    pub name: &'static str,
    /// What an earlier daemon left. That one is dead when this is over.
    pub before: Option<fn(&mut MortalHouse) -> Mortal<()>>,
    /// What the daemon at hand goes through; it has just been started.
    pub play: fn(&mut MortalHouse) -> Mortal<()>,
    /// The requests during which it is worth while to kill it.
    pub at_server: &'static [AtServer],
}

/// Longer ago than a history goes back.
const LONG_AGO: &str = "1999-01-01T00:00:00Z";

const LOGIN: &[AtServer] = &[AtServer::LoginAnswered];
const LOGOUT: &[AtServer] = &[AtServer::LogoutArrived, AtServer::LogoutAnswered];

/// All lives.
pub const ALL: &[Life] = &[
    Life { name: "add", before: None, play: add, at_server: &[] },
    Life { name: "login", before: None, play: login, at_server: LOGIN },
    Life { name: "use", before: None, play: using, at_server: &[] },
    Life { name: "logout", before: None, play: logout, at_server: LOGOUT },
    Life { name: "logout of three", before: None, play: logout_of_three, at_server: LOGOUT },
    Life { name: "pending", before: None, play: pending, at_server: LOGOUT },
    Life { name: "forget", before: None, play: forget, at_server: &[] },
    Life { name: "stop", before: None, play: stop, at_server: LOGOUT },
    Life { name: "keep", before: None, play: keep, at_server: &[] },
    Life { name: "restart", before: Some(kept), play: restart, at_server: LOGOUT },
    Life { name: "replace", before: None, play: replace, at_server: LOGIN },
    Life { name: "abandoned", before: None, play: abandoned, at_server: LOGIN },
    Life { name: "refused", before: None, play: refused, at_server: &[] },
    Life { name: "half-written", before: Some(half_written), play: recover, at_server: &[] },
    Life { name: "announced", before: Some(announced), play: recover, at_server: &[] },
    Life { name: "half-added", before: Some(half_added), play: recover, at_server: &[] },
    Life { name: "orphan", before: Some(orphaned), play: recover, at_server: &[] },
    Life { name: "damaged", before: Some(damaged), play: recover, at_server: &[] },
    Life { name: "damaged index", before: Some(damaged_index), play: recover, at_server: &[] },
    Life { name: "old history", before: Some(old_history), play: logout, at_server: &[] },
    Life { name: "damaged history", before: Some(damaged_history), play: recover, at_server: &[] },
];

fn add(house: &mut MortalHouse) -> Mortal<()> {
    house.add().map(drop)
}

fn login(house: &mut MortalHouse) -> Mortal<()> {
    house.login(false).map(drop)
}

fn using(house: &mut MortalHouse) -> Mortal<()> {
    let one = house.add()?;
    house.token(one, None)?;
    house.token(one, Some("1h"))?;
    house.touch(one)?;
    house.hold(one)
}

fn logout(house: &mut MortalHouse) -> Mortal<()> {
    let one = house.add()?;
    house.misbehave();
    house.logout(&[one])?;
    house.settled(1)
}

fn logout_of_three(house: &mut MortalHouse) -> Mortal<()> {
    let three = [house.add()?, house.add()?, house.add()?];
    house.misbehave();
    house.logout(&three)?;
    house.settled(1)
}

fn pending(house: &mut MortalHouse) -> Mortal<()> {
    let one = house.add()?;
    house.refuse_logouts();
    house.logout(&[one])?;
    house.settled(1)?;
    house.retry()?;
    house.settled(2)?;
    house.misbehave();
    house.retry()?;
    house.settled(3)
}

fn forget(house: &mut MortalHouse) -> Mortal<()> {
    let one = house.add()?;
    house.refuse_logouts();
    house.logout(&[one])?;
    house.settled(1)?;
    house.forget(one)?;
    house.settled(0)
}

fn stop(house: &mut MortalHouse) -> Mortal<()> {
    house.add()?;
    house.login(false)?;
    house.misbehave();
    house.terminate()
}

fn keep(house: &mut MortalHouse) -> Mortal<()> {
    let pending = house.add()?;
    let used = house.add()?;
    house.refuse_logouts();
    house.logout(&[pending])?;
    house.token(used, None)?;
    house.stop_keeping()
}

fn kept(house: &mut MortalHouse) -> Mortal<()> {
    house.start()?;
    house.add()?;
    house.add()?;
    house.stop_keeping()
}

fn restart(house: &mut MortalHouse) -> Mortal<()> {
    house.token(0, None)?;
    house.misbehave();
    house.logout(&[0, 1])?;
    house.settled(1)
}

fn replace(house: &mut MortalHouse) -> Mortal<()> {
    house.login(false)?;
    house.misbehave();
    // Whether the first one is to end is not known until the second login is answered.
    house.told[0].asked = true;
    house.login(true)?;
    house.until("the end of the first", |house| {
        let state = |session: &serde_json::Value| session["state"].clone();
        let states: Vec<_> = house.list()?.iter().map(state).collect();
        let tried = states.iter().filter(|state| **state == "active").count() == 1;
        (tried && house.house.secrets() == states.len()).then_some(())
    })
}

fn abandoned(house: &mut MortalHouse) -> Mortal<()> {
    house.misbehave();
    house.login_and_leave()?;
    house.settled(1)
}

fn refused(house: &mut MortalHouse) -> Mortal<()> {
    house.house.set_keyring_fault(Some("forget-writes"));
    house.add_in_vain()?;
    house.settled(0)
}

/// What is left of another daemon comes to its end by itself.
fn recover(house: &mut MortalHouse) -> Mortal<()> {
    house.settled(1)
}

fn half_written(house: &mut MortalHouse) -> Mortal<()> {
    die_adding(house, "record-adding.written#1")
}

fn announced(house: &mut MortalHouse) -> Mortal<()> {
    die_adding(house, "record-adding.renamed#1")
}

fn half_added(house: &mut MortalHouse) -> Mortal<()> {
    die_adding(house, "record-active.synced#1")
}

fn die_adding(house: &mut MortalHouse, at: &str) -> Mortal<()> {
    house.dies_at = Some(at.to_owned());
    house.start()?;
    assert_eq!(house.add(), Err(Died));
    house.end();
    house.dies_at = None;
    house.misbehave();
    Ok(())
}

/// Somebody deletes the record of a session.
fn orphaned(house: &mut MortalHouse) -> Mortal<()> {
    add_and_die(house)?;
    house.house.records().iter().for_each(|record| fs::remove_file(record).expect("it is ours"));
    Ok(())
}

/// Something cuts it short.
fn damaged(house: &mut MortalHouse) -> Mortal<()> {
    add_and_die(house)?;
    for record in house.house.records() {
        let text = fs::read(&record).expect("it is ours");
        fs::write(&record, &text[..text.len() / 2]).expect("it is ours");
    }
    house.damaged = true;
    Ok(())
}

/// So it does with the index, and the record is gone as well; a line of it is whole.
fn damaged_index(house: &mut MortalHouse) -> Mortal<()> {
    orphaned(house)?;
    let index = house.house.index();
    let mut text = fs::read(&index).expect("it is ours");
    text.extend_from_slice(b"\xff\n{\"id\":");
    fs::write(&index, text).expect("it is ours");
    house.damaged = true;
    Ok(())
}

/// A line of the history is too old: it is written anew.
fn old_history(house: &mut MortalHouse) -> Mortal<()> {
    house.start()?;
    house.stop_keeping()?;
    let line = json!({
        "id": "00000000000000ff", "generation": 1, "instance": "prod", "url": "https://h/", "username": null,
        "created_at": LONG_AGO, "requested_at": LONG_AGO, "ended_at": LONG_AGO,
        "reason": "request", "outcome": "revoked", "attempts": 1, "evidence": "",
    });
    let (folder, text) = (house.house.state_dir(), format!("{line}\n"));
    let path = folder.join("history.jsonl");
    fs::write(&path, &text).expect("it is ours");
    // So that a power cut knows of it.
    house.note(&json!({"op": "create", "path": path}));
    house.note(&json!({"op": "append", "path": path, "bytes": text.as_bytes()}));
    house.note(&json!({"op": "sync", "path": path}));
    house.note(&json!({"op": "sync-folder", "path": folder}));
    Ok(())
}

/// One is damaged as well.
fn damaged_history(house: &mut MortalHouse) -> Mortal<()> {
    old_history(house)?;
    let path = house.house.state_dir().join("history.jsonl");
    let text = fs::read_to_string(&path).expect("it is ours");
    fs::write(path, format!("{{\"id\":\n{text}")).expect("it is ours");
    house.damaged = true;
    Ok(())
}

/// What becomes of the record then lets the session be revoked.
fn add_and_die(house: &mut MortalHouse) -> Mortal<()> {
    house.start()?;
    let one = house.add()?;
    house.told[one].asked = true;
    house.told[one].unrecorded = true;
    house.end();
    house.misbehave();
    Ok(())
}
