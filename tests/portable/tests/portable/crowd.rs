//! Many clients at once, slow and silent ones among them: each gets what is its own.

use std::thread;
use std::time::Duration;

use securid_portable_tests::{Client, House, code, eventually};
use serde_json::json;

/// How many work at once.
const CLIENTS: usize = 32;

/// How many say nothing meanwhile, or half a line.
const SILENT: usize = 40;

#[test]
fn slow_and_silent_ones_hold_nobody_up() {
    let house = House::open("");
    let mut silent: Vec<Client> = (0..SILENT).map(|_| house.client()).collect();
    for client in silent.iter_mut().step_by(2) {
        client.send("{\"jsonrpc\":").unwrap();
    }
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                let mut client =
                    eventually("a connection", || Client::connect(&house.endpoint()).ok());
                for _ in 0..4 {
                    let token = house.simulator.issue("alice");
                    let taken = client.call("session.add", json!({"token": token})).unwrap();
                    let lent = client.call("session.token", json!({"session": taken["id"]}));
                    assert_eq!(lent.unwrap()["token"], json!(token), "somebody else's");
                    let words = json!({"sessions": [taken["id"]], "wait": "20s"});
                    let ended = client.call("session.logout", words).unwrap();
                    assert_eq!(ended["sessions"][0]["outcome"], "revoked", "{ended}");
                }
            });
        }
    });
    let truth = house.simulator.truth();
    assert_eq!(truth.tokens.len(), 4 * CLIENTS);
    assert!(truth.tokens.iter().all(|token| token.logout_requests == 1));
    assert_eq!(code(&house.ctl(&["list"])), 0);
    // A line has to be whole within 10 s.
    let closed = silent[0].exchange(String::new(), Duration::from_secs(30)).unwrap();
    assert!(closed.is_empty() || closed.contains("error"), "{closed}");
    // Who has said nothing is served when he does.
    assert_eq!(silent[1].call("session.list", json!({})).unwrap()["sessions"], json!([]));
    house.assert_all_is_over();
}

#[test]
fn more_than_there_is_room_for() {
    let house = House::open("");
    let (id, token) = house.add();
    let mut crowd: Vec<Client> = Vec::new();
    for _ in 0..300 {
        let client = eventually("a connection", || Client::connect(&house.endpoint()).ok());
        crowd.push(client);
    }
    let mut late = house.client();
    assert_eq!(late.call("session.token", json!({"session": id})).unwrap()["token"], json!(token));
    drop(crowd);
    assert_eq!(code(&house.ctl(&["logout"])), 0);
    house.assert_all_is_over();
}
