//! Crowds of clients that want too much: nobody else is locked out, nothing is forgotten, and the memory
//! comes back.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

use securid_tests::memory::private_kib;
use securid_tests::{Client, House, Plan, eventually};
use serde_json::{Value, json};

/// How much more memory there may be when a crowd has gone, in KiB.
const LEFT_BEHIND: usize = 1024;

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

/// Does something, and sees the memory back that it took.
fn memory_comes_back_after(what: &str, house: &House, does: impl FnOnce()) {
    let before = private_kib(house.pid());
    does();
    house.call("daemon.status", json!({}));
    let during = private_kib(house.pid());
    let mut last = 0;
    eprintln!("{what}: {before} KiB before, {during} at its end");
    eventually(&format!("{what}: the memory to come back"), || {
        let now = private_kib(house.pid());
        if now != last {
            last = now;
            eprintln!("{what}: now {now}");
        }
        (last <= before + LEFT_BEHIND).then_some(())
    });
}

fn connect(house: &House) -> UnixStream {
    let stream = UnixStream::connect(house.socket()).unwrap();
    stream.set_read_timeout(Some(securid_tests::PATIENCE)).unwrap();
    stream.set_write_timeout(Some(securid_tests::PATIENCE)).unwrap();
    stream
}

/// Everything that is still answered, to its end.
fn rest(stream: &mut UnixStream) -> String {
    let mut rest = Vec::new();
    match stream.read_to_end(&mut rest) {
        Ok(_) => {}
        // It was closed with something of ours unread.
        Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
        Err(error) => panic!("{error}"),
    }
    String::from_utf8(rest).unwrap()
}

#[test]
fn sixty_four_megabytes_without_a_newline() {
    let house = in_use();
    memory_comes_back_after("a flood", &house, || {
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let mut stream = connect(&house);
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
    memory_comes_back_after("idle ones", &house, || {
        let mut crowd = Vec::new();
        for n in 0..5000 {
            crowd.push(connect(&house));
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
    // A hold is no idleness.
    assert_eq!(house.session(&id).unwrap()["holds"], 1);
    holder.call("daemon.status", json!({})).unwrap();
    assert_eq!(house.log().matches("as many connections as there may be").count(), 1);
}

#[test]
fn half_lines() {
    let house = in_use();
    memory_comes_back_after("half lines", &house, || {
        let mut crowd: Vec<_> = (0..400).map(|_| connect(&house)).collect();
        for stream in &mut crowd {
            stream.write_all(&[b'{'; 60_000]).unwrap();
        }
        house.call("daemon.status", json!({}));
    });
}

#[test]
fn a_thousand_requests_at_once_that_nobody_reads_the_answers_to() {
    let house = in_use();
    memory_comes_back_after("unread answers", &house, || {
        let crowd: Vec<_> = (0..10)
            .map(|_| {
                let mut stream = connect(&house);
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
