//! Crowds of clients that want too much: nobody else is locked out, nothing is forgotten, and the memory
//! comes back.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::Write as _;
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::thread;
use std::time::Duration;

use securid_simulator::Fault;
use securid_tests::client::rest;
use securid_tests::memory::private_kib;
use securid_tests::{Client, House, Plan, eventually};
use serde_json::{Value, json};

/// How much more memory there may be when a crowd has gone, in KiB.
const LEFT_BEHIND: usize = 1024;

/// How much of it the C library may keep the first time, in KiB: pages between others that are in use.
const KEPT_AT_FIRST: usize = 0;

/// A house whose daemon has been in use, so that what it needs once is there.
fn in_use() -> House {
    let house = House::open(Plan { log: "warn", ..Plan::default() });
    for (id, _) in house.add_many(20) {
        house.token(&id);
    }
    house.call("session.list", json!({}));
    house.call("daemon.status", json!({}));
    house
}

/// Does something twice, and sees the memory back that it took: at first to within what the C library keeps
/// of a heap that was larger for a moment, and then to where it was.
fn memory_comes_back_after(what: &str, house: &House, does: impl Fn()) {
    for may_be_kept in [KEPT_AT_FIRST, 0] {
        let before = private_kib(house.pid());
        does();
        let mut after = 0;
        eventually(&format!("{what}: the memory to come back"), || {
            after = private_kib(house.pid());
            (after <= before + LEFT_BEHIND + may_be_kept).then_some(())
        });
        eprintln!("{what}: {before} KiB before, {after} KiB after");
    }
}

#[test]
fn sixty_four_megabytes_without_a_newline() {
    let house = in_use();
    memory_comes_back_after("a flood", &house, || {
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let mut stream = house.stream();
                    let chunk = vec![b'x'; 1 << 20];
                    let sent = (0..64).take_while(|_| stream.write_all(&chunk).is_ok()).count();
                    assert!(sent < 4, "{sent} MiB were swallowed");
                    let said = rest(&mut stream);
                    assert!(said.contains("-32600") && said.contains("65536"), "{said:?}");
                });
            }
        });
    });
}

#[test]
fn thousands_of_idle_connections() {
    let house = in_use();
    let mut holder = house.client();
    let (id, _) = house.add_one();
    holder.call("session.hold", json!({"session": id})).unwrap();
    let mut early = house.client();
    early.call("daemon.status", json!({})).unwrap();
    let mut caller = house.client();
    let begin = json!({"command": "findUsers", "session": id, "more": true});
    let call = caller.call("session.call", begin).unwrap()["call"].clone();
    memory_comes_back_after("idle ones", &house, || {
        let mut crowd = Vec::new();
        for n in 0..5000 {
            crowd.push(house.stream());
            // Our own descriptors have a limit too.
            if crowd.len() > 600 {
                crowd.remove(0);
            }
            if n % 500 == 499 {
                house.call("daemon.status", json!({}));
            }
        }
    });
    let said = early.receive().unwrap();
    assert_eq!((&said["id"], &said["error"]["code"]), (&Value::Null, &json!(-32011)), "{said}");
    assert!(early.receive().is_none());
    // A hold is no idleness, and a call whose client takes his time neither.
    assert_eq!(house.session(&id).unwrap()["holds"], 2);
    holder.call("daemon.status", json!({})).unwrap();
    assert_eq!(caller.call("session.call", json!({"call": call})).unwrap()["status"], 200);
    assert_eq!(house.log().matches("as many connections as there may be").count(), 1);
}

#[test]
fn half_lines_lock_nobody_out() {
    let house = in_use();
    let mut crowd: Vec<_> = (0..400).map(|_| house.stream()).collect();
    let first = rest(&mut crowd[0]);
    assert!(first.contains("-32011") && first.contains("idle for the longest"), "{first:?}");
    for stream in &mut crowd[200..] {
        stream.write_all(&[b'{'; 60_000]).unwrap();
    }
    let (id, token) = house.add_one();
    assert_eq!(house.token(&id), token);
}

#[test]
fn a_thousand_requests_at_once_that_nobody_reads_the_answers_to() {
    let house = in_use();
    memory_comes_back_after("unread answers", &house, || {
        let crowd: Vec<_> = (0..10)
            .map(|_| {
                let mut stream = house.stream();
                stream.set_write_timeout(Some(Duration::from_secs(2))).unwrap();
                for id in 0..1000 {
                    let request = json!({"jsonrpc": "2.0", "id": id, "method": "session.list"});
                    // What it does not read waits here.
                    if writeln!(stream, "{request}").is_err() {
                        break;
                    }
                }
                stream
            })
            .collect();
        house.call("daemon.status", json!({}));
        drop(crowd);
    });
}

#[test]
fn many_of_the_longest_lines() {
    let house = in_use();
    let long = "x".repeat(60_000);
    memory_comes_back_after("long lines", &house, || {
        thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| {
                    let mut client = Client::connect(&house.socket()).unwrap();
                    for _ in 0..50 {
                        let params = json!({"session": &long});
                        assert_eq!(client.call("session.show", params).unwrap_err().code, -32001);
                    }
                });
            }
        });
    });
}

/// Half of its descriptors are taken by clients, and the rest by a server that does not answer.
#[test]
fn without_descriptors_it_waits_and_forgets_nothing() {
    let mut house = House::build(Plan {
        log: "info",
        revocation: vec![("attempt_timeout", "2s")],
        ..Plan::default()
    });
    house.change_config("[revocation]", "[revocation]\nconcurrency = 256");
    start_with_descriptors(&mut house, "64:64");
    let mut held = house.add_many(80);
    let mut client = house.client();
    // Each attempt has a connection of its own, and none comes back.
    house.simulator.set_fault(Some(Fault::Hang));
    house.call("session.logout", json!({"all": true}));
    // Who waits for something is not idle, and makes no room.
    client.send("session.logout", json!({"sessions": [held[0].0], "wait": "5m"}));
    // One more at a time: at some moment the attempts have all that is left.
    let mut crowd = Vec::new();
    eventually("a client that is not let in", || {
        crowd.push(UnixStream::connect(house.socket()).unwrap());
        house.log().contains("no client can be let in").then_some(())
    });
    // A record, or a secret, that cannot be written is an error, and nothing that was acknowledged.
    let fault = eventually("a record that cannot be opened", || {
        let token = house.simulator.issue("alice");
        match client.call("session.add", json!({"token": &token})) {
            Ok(taken) => {
                held.push((taken["id"].as_str().unwrap().to_owned(), token));
                None
            }
            Err(fault) => {
                house.simulator.expire(&token);
                Some(fault)
            }
        }
    });
    assert!([-32005, -32004].contains(&fault.code), "{fault:?}");
    house.simulator.set_fault(None);
    drop(crowd);
    house.call("session.logout", json!({"all": true}));
    house.eventually_true("every token to die", |truth| truth.alive().is_empty());
    house.eventually_empty();
    // The connections that are kept for other attempts leave room for files.
    for (id, _) in held {
        let outcome = house.eventually_ended(&id)["outcome"].clone();
        // On a busy machine an answer may come after its attempt was given up; the next one says that it is dead.
        assert!(outcome == "revoked" || outcome == "already-invalid", "{outcome}");
    }
    // Tried ten times a second, and said once a minute.
    assert_eq!(house.log().matches("no client can be let in").count(), 1);
    house.login();
}

/// It raises its limit to 128, of which clients get half.
#[test]
fn where_every_connection_is_in_use_a_person_is_told() {
    let mut house = House::build(Plan::default());
    start_with_descriptors(&mut house, "48:128");
    let (id, _) = house.add_one();
    let mut holders: Vec<Client> = (0..64).map(|_| house.client()).collect();
    for holder in &mut holders {
        holder.call("session.hold", json!({"session": id})).unwrap();
    }
    let refused = house.ctl(&["list"]);
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1), "{told}");
    assert!(told.contains("64 connections") && told.contains("Try again"), "{told}");
    holders.pop();
    eventually("a place", || house.ctl(&["list"]).status.success().then_some(()));
    assert_eq!(house.session(&id).unwrap()["holds"], 63);
}

/// Soft and hard limit, as `prlimit` takes them.
fn start_with_descriptors(house: &mut House, limits: &str) {
    let mut command = Command::new("prlimit");
    let daemon = house.daemon_command();
    command.arg(format!("--nofile={limits}")).arg(daemon.get_program()).args(daemon.get_args());
    house.furnish(&mut command);
    house.start_with(command);
}
