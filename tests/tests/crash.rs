//! `kill -9` and reboots lose nothing that was acknowledged.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use securid_simulator::Fault;
use securid_tests::{Client, House, PASSWORD, PATIENCE, Plan, Signal, eventually};
use serde_json::json;

#[test]
fn active_sessions_go_on_within_the_boot() {
    let mut house = House::open(Plan::default());
    let held = house.add_many(3);
    house.kill_9();
    house.start();
    for (id, token) in &held {
        assert_eq!(house.state(id), "active");
        assert_eq!(&house.token(id), token);
    }
    house.call("session.logout", json!({"all": true, "wait": "10s"}));
    assert_eq!(house.simulator.truth().alive(), [""; 0]);
    for (id, _) in &held {
        let line = house.ended(id).expect("it ended");
        assert_eq!((&line["reason"], &line["attempts"]), (&json!("request"), &json!(1)));
    }
    house.eventually_empty();
}

#[test]
fn active_sessions_of_the_kernels_keyring_too() {
    if !securid_tests::patience::is_installed("keyctl") {
        return;
    }
    let mut house = House::open(Plan { keyring: "keyutils", ..Plan::default() });
    let (id, token) = house.add_one();
    house.kill_9();
    house.start();
    assert_eq!(house.token(&id), token);
    assert_eq!(house.logout(&id, "10s")["outcome"], "revoked");
    house.eventually_empty();
}

#[test]
fn the_idle_time_is_not_counted_anew() {
    let mut house = House::open(Plan { top: "idle_timeout = \"2s\"".into(), ..Plan::default() });
    let (id, token) = house.add_one();
    thread::sleep(Duration::from_millis(1500));
    house.kill_9();
    house.start();
    let restarted = Instant::now();
    assert_eq!(house.eventually_ended(&id)["reason"], "idle");
    assert!(restarted.elapsed() < Duration::from_millis(1400), "{:?}", restarted.elapsed());
    let fate = house.fate(&token);
    assert!(fate.ended_at.unwrap() - fate.issued_at >= 1900, "{fate:?}");
}

#[test]
fn a_held_session_waits_for_its_holder() {
    let mut house = House::open(Plan { top: "idle_timeout = \"600ms\"".into(), ..Plan::default() });
    let (id, _) = house.add_one();
    let mut holder = house.client();
    holder.call("session.hold", json!({"session": id})).unwrap();
    thread::sleep(Duration::from_millis(800));
    house.kill_9();
    house.start();
    assert_eq!(house.state(&id), "active", "exec goes on over a restart");
    let mut again = house.client();
    again.call("session.hold", json!({"session": id})).unwrap();
    thread::sleep(Duration::from_millis(800));
    assert_eq!(house.state(&id), "active");
    drop(again);
    assert_eq!(house.eventually_ended(&id)["reason"], "idle");
}

#[test]
fn a_pending_one_goes_on_by_itself() {
    let mut house = House::open(Plan::default());
    let held = house.add_many(5);
    house.simulator.set_fault(Some(Fault::Down));
    let view = house.call("session.logout", json!({"all": true}));
    let items = view["sessions"].as_array().unwrap();
    assert!(items.iter().all(|item| item["durable"] == true), "{view}");
    house.kill_9();
    house.start();
    for (id, _) in &held {
        let session = house.session(id).expect("it is not dead");
        assert_eq!(session["state"], "revoking");
        assert_eq!(session["revocation"]["reason"], "request");
        assert_eq!(house.refused("session.token", json!({"session": id})).code, -32012);
    }
    eventually("attempts", || {
        let all = house.sessions();
        all.iter().all(|s| s["revocation"]["attempts"].as_u64() >= Some(2)).then_some(())
    });
    assert_eq!(house.simulator.truth().alive().len(), 5);
    house.simulator.set_fault(None);
    house.eventually_true("the end of all", |truth| truth.alive().is_empty());
    for (id, _) in &held {
        assert_eq!(house.eventually_ended(id)["outcome"], "revoked");
    }
    house.eventually_empty();
}

#[test]
fn killed_in_the_midst_of_fifty_logouts() {
    let mut house = House::open(Plan::default());
    let held = house.add_many(50);
    house.call("session.logout", json!({"all": true}));
    house.kill_9();
    house.start();
    house.eventually_true("the end of all", |truth| truth.alive().is_empty());
    house.eventually_empty();
    let history = house.call("session.history", json!({}));
    let lines = history["sessions"].as_array().unwrap();
    let ended: HashSet<&str> = lines.iter().map(|line| line["id"].as_str().unwrap()).collect();
    assert_eq!(ended, held.iter().map(|(id, _)| id.as_str()).collect());
    assert_eq!(lines.len(), 50, "each stands there once");
}

/// Several clients bring and make tokens as fast as they can until the daemon is killed.
#[test]
fn a_burst_of_new_sessions() {
    for kill_after in [1, 7, 30, 60] {
        let mut house = House::open(Plan::default());
        let acknowledged = AtomicUsize::new(0);
        let socket = house.socket();
        let told: Vec<String> = thread::scope(|scope| {
            let workers: Vec<_> = (0..6)
                .map(|worker| {
                    let (simulator, acknowledged) = (&house.simulator, &acknowledged);
                    let mut client = Client::connect(&socket).unwrap();
                    scope.spawn(move || {
                        let mut ids = Vec::new();
                        let began = Instant::now();
                        while began.elapsed() < 2 * PATIENCE {
                            let (method, params) = if worker % 3 == 0 {
                                ("session.login", json!({"password": PASSWORD}))
                            } else {
                                ("session.add", json!({"token": simulator.issue("alice")}))
                            };
                            match client.call_until_gone(method, params) {
                                Some(Ok(session)) => {
                                    ids.push(session["id"].as_str().unwrap().to_owned());
                                    acknowledged.fetch_add(1, Ordering::SeqCst);
                                }
                                Some(Err(fault)) => panic!("{fault:?}"),
                                None => return ids,
                            }
                        }
                        panic!("the daemon was not killed");
                    })
                })
                .collect();
            eventually("sessions", || {
                (acknowledged.load(Ordering::SeqCst) >= kill_after).then_some(())
            });
            house.signal(Signal::KILL);
            workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
        });
        house.wait_for_end(PATIENCE);
        house.start();
        every_acknowledged_one_is_known(&house, &told);
    }
}

#[test]
fn killed_while_a_token_is_taken_in() {
    // Before the secret is stored: nobody was told, and nothing is left.
    let mut house = House::open(Plan::default());
    house.set_keyring_fault(Some("slow:1000"));
    let token = house.simulator.issue("alice");
    let mut client = house.client();
    client.send("session.add", json!({"token": token}));
    eventually("its record", || (house.records().len() == 1).then_some(()));
    house.kill_9();
    house.set_keyring_fault(None);
    house.start();
    house.eventually_empty();
    assert!(house.fate(&token).alive, "it stays with whoever brought it");

    // After it was stored: nobody was told, and a secret that is there is revoked.
    house.set_keyring_fault(Some("slow:1000"));
    let mut client = house.client();
    client.send("session.add", json!({"token": token}));
    eventually("its secret", || (house.secrets() == 1).then_some(()));
    house.kill_9();
    house.set_keyring_fault(None);
    house.start();
    house.eventually_true("its end", |truth| truth.alive().is_empty());
    house.eventually_empty();
    let history = house.call("session.history", json!({}));
    assert_eq!(history["sessions"][0]["reason"], "abandoned", "{history}");
}

fn every_acknowledged_one_is_known(house: &House, told: &[String]) {
    let tokens: HashMap<&String, String> = told.iter().map(|id| (id, house.token(id))).collect();
    for id in told {
        assert_eq!(house.state(id), "active", "{id} was acknowledged");
        assert!(house.fate(&tokens[id]).alive);
    }
    let sessions = house.sessions();
    let extra: Vec<_> = sessions.iter().filter(|s| s["state"] == "lost").collect();
    assert!(extra.is_empty(), "{extra:?}");
    // Nothing half-taken-in stays: an `adding` record goes with its secret, an `active` one is good.
    let view = house.call("session.logout", json!({"all": true, "wait": "20s"}));
    let unconfirmed: Vec<_> = view["sessions"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|item| item["state"] != "ended")
        .collect();
    assert!(unconfirmed.is_empty(), "{unconfirmed:?}");
    for token in tokens.values() {
        assert!(!house.fate(token).alive);
    }
    assert_eq!(house.simulator.truth().logouts_of_unknown_tokens, 0);
    house.eventually_empty();
}

#[test]
fn a_reboot_ends_what_was_active() {
    for top in ["on_exit = \"revoke\"", "on_exit = \"keep\""] {
        let mut house = House::open(Plan { top: top.to_owned(), ..Plan::default() });
        let (id, _) = house.add_one();
        house.kill_9();
        house.reboot();
        house.start();
        house.eventually_true("its end", |truth| truth.alive().is_empty());
        let line = house.eventually_ended(&id);
        assert_eq!((&line["reason"], &line["outcome"]), (&json!("shutdown"), &json!("revoked")));
        house.eventually_empty();
    }
}

#[test]
fn a_reboot_loses_no_pending_one() {
    let mut house = House::open(Plan::default());
    let (id, _) = house.add_one();
    house.simulator.set_fault(Some(Fault::Down));
    house.logout(&id, "300ms");
    house.kill_9();
    house.reboot();
    house.start();
    house.simulator.set_fault(None);
    assert_eq!(house.eventually_ended(&id)["reason"], "request");
    assert_eq!(house.simulator.truth().alive(), [""; 0]);
}
