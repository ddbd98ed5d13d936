//! A watcher that does not read.

use std::collections::HashSet;
use std::thread::sleep;
use std::time::Duration;

use securid_tests::memory::private_kib;
use securid_tests::{House, Plan};
use serde_json::json;

use crate::watcher::Watcher;

/// How many sessions.
const SESSIONS: usize = 150;

/// How much more memory the daemon may take for it, in KiB: what is to be told of each session.
const MORE: usize = 1_024;

/// How many events may wait unread in the socket: some 8 KiB of them.
const IN_THE_SOCKET: usize = 64;

#[test]
fn who_does_not_read_costs_little_and_is_told_then_how_things_stand() {
    let house = House::open(Plan { log: "warn", ..Plan::default() });
    let held = house.add_many(SESSIONS);
    let mut client = house.client();
    let mut touch_all = || {
        for (id, _) in &held {
            client.call("session.touch", json!({"session": id})).unwrap();
        }
        // Uses within a second look the same.
        sleep(Duration::from_secs(1));
    };
    touch_all();
    let before = private_kib(house.pid());

    let mut watcher = Watcher::ready(&house);
    (0..2).for_each(|_| touch_all());
    let grown = private_kib(house.pid()).saturating_sub(before);
    assert!(grown < MORE, "{grown} KiB for one who does not read");
    // Whatever a session has been meanwhile, it is told once as it is now.
    let (last, _) = held.last().unwrap();
    client.call("session.touch", json!({"session": last, "for": "1h"})).unwrap();
    let now = house.session(last).unwrap();
    let told = watcher.until_it(|session| *session == now);
    assert!(told.len() <= SESSIONS + IN_THE_SOCKET, "{} events", told.len());

    // Ends wait for it, and are all told.
    let all = house.call("session.logout", json!({"all": true, "wait": "60s"}));
    assert_eq!(all["sessions"].as_array().unwrap().len(), SESSIONS);
    let mut ended = HashSet::new();
    while ended.len() < SESSIONS {
        let event = watcher.next().unwrap();
        if event["event"] == "ended" {
            let id = event["session"]["id"].as_str().unwrap().to_owned();
            assert!(ended.insert(id), "once");
        } else {
            let id = event["session"]["id"].as_str().unwrap();
            assert!(!ended.contains(id), "nothing after its end: {event}");
        }
    }
    assert!(held.iter().all(|(id, _)| ended.contains(id)));
    assert_eq!(house.simulator.truth().alive(), [""; 0]);
}
