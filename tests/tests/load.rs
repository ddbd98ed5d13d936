//! A thousand clients in turn, and 64 at once, at a server with faults: each gets what is its own, and
//! nothing of them stays.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use securid_simulator::{Fault, Truth};
use securid_tests::memory::private_kib;
use securid_tests::{Client, House, PASSWORD, Plan};
use serde_json::{Value, json};

const IN_TURN: usize = 1000;

const AT_ONCE: usize = 64;

/// How many clients come one after the other where 64 are there at once.
const ROUNDS: usize = 4;

/// How often all of this is done at most, until nothing of it stays.
const SPELLS: usize = 4;

/// How much more memory there may be afterwards, in KiB.
const LEFT_BEHIND: usize = 1024;

/// How long the server behaves in one way.
const MOOD: Duration = Duration::from_millis(60);

/// What the server does to a logout, one after the other.
const FAULTS: [&str; 16] = [
    "none",
    "status:500",
    "none",
    "reset",
    "none",
    "captive-portal",
    "none",
    "hang",
    "none",
    "truncated",
    "none",
    "reply-lost",
    "none",
    "proxy-auth-401",
    "none",
    "delay:200ms",
];

/// Codes of a login that the server's faults may cost: it cannot be reached, or errs.
const LOGIN_FAILS: [i64; 2] = [-32006, -32008];

#[test]
fn a_thousand_clients_in_turn_and_64_at_once_at_a_server_with_faults() {
    let house = House::open(Plan {
        log: "warn",
        revocation: vec![("attempt_timeout", "300ms"), ("retry_max", "2s")],
        ..Plan::default()
    });
    let served = Served::default();
    // What is needed once is there before the memory is looked at: connections, certificates, threads.
    with_faults(&house, || all_at_once(&house, &served, 1));
    settle(&house, &served);
    let mut after = vec![private_kib(house.pid())];
    // What the C library keeps of a heap that was larger for a moment depends on what lay where in it, and
    // levels out. What is forgotten somewhere grows with every spell.
    for spell in 1.. {
        with_faults(&house, || {
            for n in 0..IN_TURN {
                one_client(&house, &served, n);
            }
            all_at_once(&house, &served, ROUNDS);
        });
        settle(&house, &served);
        // The free memory goes back a while after a crowd.
        thread::sleep(Duration::from_secs(1));
        let before = after[spell - 1];
        after.push(private_kib(house.pid()));
        if after[spell] <= before + LEFT_BEHIND {
            break;
        }
        assert!(spell < SPELLS, "it grows and grows: {after:?} KiB");
    }
    eprintln!("{after:?} KiB");
    let spells = after.len() - 1;
    let served: HashSet<String> = served.tokens.into_inner().unwrap().into_keys().collect();
    assert_eq!(
        served.len(),
        AT_ONCE + spells * (IN_TURN + AT_ONCE * ROUNDS),
        "an id was given twice"
    );
    assert_eq!(served, ended(&house));
}

/// What the daemon has said of all clients' sessions.
#[derive(Default)]
struct Served {
    /// The tokens that it has acknowledged, by the ids of their sessions.
    tokens: Mutex<HashMap<String, String>>,
    /// How many logins it has refused. Of one whose reply came after the deadline the server has a token that nobody can hold.
    logins_refused: AtomicUsize,
}

fn all_at_once(house: &House, served: &Served, rounds: usize) {
    thread::scope(|scope| {
        for first in 0..AT_ONCE {
            scope.spawn(move || {
                for round in 0..rounds {
                    one_client(house, served, first + round);
                }
            });
        }
    });
}

/// Lets the server change its mind all the time while something is done.
fn with_faults(house: &House, does: impl FnOnce() + Send) {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for fault in FAULTS.iter().cycle() {
                if over.load(Ordering::Relaxed) {
                    break;
                }
                let fault = Fault::parse_setting(fault).unwrap();
                house.simulator.set_fault_for("logoutUser", fault);
                // A login of which no reply comes leaves a token that nobody can hold, and anybody's 401
                // passes for a refusal.
                let of_login = fault.filter(|fault| {
                    !matches!(fault, Fault::ReplyLost | Fault::Delay(_) | Fault::ProxyAuth401)
                });
                house.simulator.set_fault_for("loginUser", of_login);
                thread::sleep(MOOD);
            }
            house.simulator.set_fault_for("logoutUser", None);
            house.simulator.set_fault_for("loginUser", None);
        });
        // Its failure must not leave the other one at it for ever.
        let done = thread::scope(|inner| inner.spawn(does).join());
        over.store(true, Ordering::Relaxed);
        done.unwrap();
    });
}

/// What a client does and has to see.
fn one_client(house: &House, served: &Served, n: usize) {
    let mut client = house.client();
    let (id, token) = session(house, served, &mut client, n);
    served.tokens.lock().unwrap().insert(id.clone(), token.clone());
    let lent = client.call("session.token", json!({"session": &id})).unwrap();
    assert_eq!((&lent["session"], &lent["token"]), (&json!(id), &json!(token)));
    let listed = listed(&mut client, &id);
    assert_eq!((&listed["id"], &listed["state"]), (&json!(id), &json!("active")));
    assert!(is_alive(house, &token), "it is dead, and nobody has logged it out");

    let mut params = json!({"sessions": [&id]});
    let waits = n.is_multiple_of(3) && n < AT_ONCE;
    if waits {
        params["wait"] = json!("50ms");
    }
    let view = client.call("session.logout", params).unwrap();
    let item = &view["sessions"][0];
    assert_eq!((view["sessions"].as_array().map(Vec::len), &item["id"]), (Some(1), &json!(id)));
    match item["state"].as_str().unwrap() {
        "ended" => assert!(!is_alive(house, &token), "{item}"),
        "revoking" => {
            assert_eq!(item["outcome"], Value::Null);
            // Who does not wait for the end is answered once the intent is on disk; who does, when his time
            // is over.
            assert!(waits || item["durable"] == true, "{item}");
        }
        other => panic!("{other}: {item}"),
    }
    let refused = client.call("session.token", json!({"session": &id})).unwrap_err();
    assert!([-32012, -32001].contains(&refused.code), "{refused:?}");
}

/// A session of its own: logged in, or, for most and where the server does not let it, taken over.
fn session(house: &House, served: &Served, client: &mut Client, n: usize) -> (String, String) {
    if n.is_multiple_of(8) {
        match client.call("session.login", json!({"password": PASSWORD})) {
            Ok(taken) => {
                let id = taken["id"].as_str().unwrap().to_owned();
                let lent = client.call("session.token", json!({"session": &id})).unwrap();
                return (id, lent["token"].as_str().unwrap().to_owned());
            }
            Err(fault) => {
                assert!(LOGIN_FAILS.contains(&fault.code), "{fault:?}");
                served.logins_refused.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
    let token = house.simulator.issue("alice");
    let taken = client.call("session.add", json!({"token": &token})).unwrap();
    (taken["id"].as_str().unwrap().to_owned(), token)
}

/// It as it stands in the list, which may have several pages.
fn listed(client: &mut Client, id: &str) -> Value {
    let mut params = json!({"limit": 100});
    loop {
        let page = client.call("session.list", params.clone()).unwrap();
        let sessions = page["sessions"].as_array().unwrap();
        assert!(sessions.len() <= 100);
        if let Some(session) = sessions.iter().find(|session| session["id"] == id) {
            return session.clone();
        }
        assert!(!page["cursor"].is_null(), "{id} is not in the list");
        params["cursor"] = page["cursor"].clone();
    }
}

fn is_alive(house: &House, token: &str) -> bool {
    house.fate(token).alive
}

/// Waits until the server has said of every token that it is dead, and the daemon has nothing left of them.
fn settle(house: &House, served: &Served) {
    let tokens: HashSet<String> = served.tokens.lock().unwrap().values().cloned().collect();
    let all_dead = |truth: &Truth| !truth.alive().iter().any(|alive| tokens.contains(*alive));
    assert!(house.simulator.wait_until(Duration::from_secs(60), all_dead), "a token was forgotten");
    let nobodys = house.simulator.truth().alive().len();
    assert!(
        nobodys <= served.logins_refused.load(Ordering::Relaxed),
        "{nobodys} tokens are nobody's"
    );
    house.eventually_empty();
    assert!(house.sessions().is_empty());
    assert_eq!(house.simulator.truth().logouts_of_unknown_tokens, 0);
    assert_eq!(house.simulator.truth().redirects_followed, 0);
}

/// The ids in the history.
fn ended(house: &House) -> HashSet<String> {
    let mut ended = HashSet::new();
    let mut params = json!({});
    loop {
        let page = house.call("session.history", params.clone());
        for line in page["sessions"].as_array().unwrap() {
            assert!(ended.insert(line["id"].as_str().unwrap().to_owned()), "twice: {line}");
        }
        if page["cursor"].is_null() {
            return ended;
        }
        params["cursor"] = page["cursor"].clone();
    }
}
