//! A watcher that does not read.

use std::collections::HashSet;
use std::thread::sleep;
use std::time::Duration;

use securid_tests::memory::private_kib;
use securid_tests::{House, Plan};
use serde_json::{Value, json};

use crate::watcher::Watcher;

/// How many sessions: more than there are ends remembered for those who do not read.
const SESSIONS: usize = 1_100;

/// How much more memory the daemon may take for it, in KiB: what is to be told of each session and each end.
const MORE: usize = 2_048;

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
    (0..3).for_each(|_| touch_all());
    let grown = private_kib(house.pid()).saturating_sub(before);
    assert!(grown < MORE, "{grown} KiB for one who does not read");
    // Whatever a session has been meanwhile, it is told once as it is now.
    let (last, _) = held.last().unwrap();
    client.call("session.touch", json!({"session": last, "for": "1h"})).unwrap();
    let now = house.session(last).unwrap();
    let told = watcher.until_it(|session| *session == now);
    eprintln!("{grown} KiB, {} events", told.len());
    assert!(told.len() <= SESSIONS + IN_THE_SOCKET, "{} events", told.len());

    // More ends than are kept for it.
    let ids: HashSet<&str> = held.iter().map(|(id, _)| id.as_str()).collect();
    let all = house.call("session.logout", json!({"all": true, "wait": "60s"}));
    assert!(all["sessions"].as_array().unwrap().iter().all(|s| s["outcome"] == "revoked"), "{all}");
    let kept = house.login();
    let grown = private_kib(house.pid()).saturating_sub(before);
    assert!(grown < MORE, "{grown} KiB for one who does not read");
    eprintln!("{grown} KiB");

    let told = watcher.until("ready");
    let missed = told.iter().find(|event| event["event"] == "missed").expect("too many");
    let ended: HashSet<&str> = told.iter().filter_map(end).collect();
    assert!(ended.is_subset(&ids));
    assert_eq!(missed["ends"].as_u64().unwrap() as usize + ended.len(), SESSIONS, "{missed}");
    let after = told.iter().skip_while(|event| event["event"] != "missed");
    let alive: Vec<&Value> = after.filter(|event| event["event"] == "session").collect();
    assert_eq!(alive.len(), 1, "{alive:?}");
    assert_eq!(alive[0]["session"]["id"], *kept);
}

fn end(event: &Value) -> Option<&str> {
    (event["event"] == "ended").then(|| event["session"]["id"].as_str().unwrap())
}
