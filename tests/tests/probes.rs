//! The eight probes that felled most daemons of this kind (`docs/security.md`): each is tried while others
//! are served, and at the end the server says what has become of the tokens.
//!
//! Seen figures are on stderr: `cargo test -p securid-tests --test probes -- --nocapture`.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::Output;
use std::time::{Duration, Instant};

use securid_simulator::Truth;
use securid_tests::client::rest;
use securid_tests::memory::private_kib;
use securid_tests::patience::is_root;
use securid_tests::process::told;
use securid_tests::stranger::as_user;
use securid_tests::{Client, House, PASSWORD, PATIENCE, Plan, Signal, eventually, skipped, timed};
use serde_json::{Value, json};

/// How long a round of commands may take, whatever goes on beside it: less than the ten seconds after which half
/// a request is dropped, and some ten times what it takes where the machine has nothing else to do.
const PROMPTLY: Duration = Duration::from_secs(8);

/// How much more memory there may be when a probe is over, in KiB.
const LEFT_BEHIND: usize = 1024;

/// How much a connection that has gone may leave behind, in KiB, in a heap whose end is in use: it is free for
/// the next.
const LEFT_BY_EACH: usize = 3;

/// A house whose daemon was in use, so that what it needs once is there.
fn in_use() -> House {
    let house = House::open(Plan { log: "warn", ..Plan::default() });
    serves("first use", &house);
    house
}

/// A person adds a token, reads it and logs out, by the command line; and its server says that it is dead.
fn serves(probe: &str, house: &House) {
    let token = house.simulator.issue("alice");
    let ok = |output: Output| {
        assert!(output.status.success(), "{probe}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let (lent, took) = timed(|| {
        let added = ok(house.ctl_with(&["--json", "add", "--token-stdin"], &token));
        let added: Value = serde_json::from_str(&added).unwrap();
        let id = added["id"].as_str().unwrap();
        let lent = ok(house.ctl(&["token", id]));
        ok(house.ctl(&["logout", id]));
        lent
    });
    eprintln!("{probe}: add, token, logout in {} ms", took.as_millis());
    assert_eq!(lent.trim(), token, "{probe}");
    assert!(!house.fate(&token).alive, "{probe}");
    assert!(took < PROMPTLY, "{probe}: {took:?}");
}

/// Waits until there is no more memory than that, in KiB; gives back how much there is.
fn memory_comes_back(probe: &str, house: &House, limit: usize) -> usize {
    let now = eventually(&format!("{probe}: the memory"), || {
        Some(private_kib(house.pid())).filter(|now| *now <= limit)
    });
    eprintln!("{probe}: {now} KiB after it");
    now
}

#[test]
fn one_silent_client() {
    let house = in_use();
    let mut silent = house.client();
    serves("a silent client", &house);
    assert!(silent.call("daemon.hello", json!({})).is_ok(), "nor is it dropped for its silence");
}

#[test]
fn half_a_request() {
    let house = in_use();
    let mut half = house.stream();
    let token = house.simulator.issue("alice");
    let request = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"session.add","params":{{"token":"{token}"}}}}"#
    );
    half.write_all(&request.as_bytes()[..request.len() - 1]).unwrap();
    let began = Instant::now();
    serves("half a request", &house);
    let said = rest(&mut half);
    let took = began.elapsed();
    eprintln!("half a request: dropped after {took:?}");
    // Ten seconds after it began, and a machine may be slow.
    assert!(took > Duration::from_secs(9) && took < Duration::from_secs(20), "{took:?}");
    assert!(!said.contains("result") && !said.contains(&token), "{said}");
    assert!(house.sessions().is_empty(), "nothing of it was carried out");
    assert!(house.fate(&token).alive);
}

#[test]
fn early_disconnects() {
    let house = in_use();
    let (id, token) = house.add_one();
    let pid = house.pid();
    let calls = [
        ("session.token", json!({"session": id})),
        ("session.list", json!({})),
        ("daemon.status", json!({})),
        ("session.history", json!({})),
        ("session.login", json!({"password": PASSWORD})),
    ];
    for (method, params) in calls.iter().cycle().take(100) {
        house.client().send(method, params.clone());
    }
    serves("early disconnects", &house);
    assert_eq!((house.pid(), house.token(&id)), (pid, token.clone()));
    // A login whose client has gone is revoked, unless its reply was out by then: that one can be logged out.
    eventually("the abandoned logins to end", || {
        let sessions = house.sessions();
        sessions.iter().all(|session| session["state"] == "active").then_some(())
    });
    assert!(house.fate(&token).alive);
    house.call("session.logout", json!({"all": true, "wait": "20s"}));
    assert!(house.simulator.truth().logins_ok > 0, "no login was carried out");
    // One that was still at the server is revoked once it comes back, for nobody waits for it.
    let all_dead = |truth: &Truth| truth.alive().is_empty();
    assert!(
        house.simulator.wait_until(PATIENCE, all_dead),
        "{:?}",
        house.simulator.truth().alive()
    );
}

#[test]
fn a_stopped_daemon() {
    let house = in_use();
    let (id, token) = house.add_one();
    house.signal(Signal::STOP);
    for words in [&["list"][..], &["token", &id], &["status"], &["logout"], &["stop"]] {
        let (output, took) = timed(|| house.ctl(words));
        eprintln!("a stopped daemon: {words:?} ends after {took:?}");
        assert_eq!(output.status.code(), Some(69), "{words:?}: {output:?}");
        assert!(told(&output).contains("kill -CONT"), "{words:?}: {output:?}");
        assert!(took < PROMPTLY, "{words:?}: {took:?}");
    }
    assert!(house.fate(&token).alive);
    house.signal(Signal::CONT);
    // What it was asked, it does now: the logout, and the stop after it.
    house.eventually_true("the token to die", |truth| !truth.token(&token).unwrap().alive);
}

#[test]
fn another_user_with_the_modes_opened() {
    if !is_root() {
        return skipped("only root can be another user");
    }
    let user = 600_000_000 + std::process::id();
    let mut house = in_use();
    let (id, token) = house.add_one();
    let (folder, socket) = (house.path("run"), house.socket());
    let chmod = |path: &std::path::Path, mode| {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    };
    for (path, mode) in [(house.path(""), 0o777), (folder.clone(), 0o777), (socket.clone(), 0o666)]
    {
        chmod(&path, mode);
    }
    let calls = [
        ("daemon.hello", json!({})),
        ("session.token", json!({"session": id})),
        ("session.logout", json!({"all": true})),
        ("daemon.stop", json!({})),
    ];
    for (method, params) in &calls {
        let told = as_user(user, || {
            let mut client = Client::connect(&socket).expect("the modes allow it");
            client.call_until_gone(method, params.clone())
        });
        assert_eq!(told, None, "{method}");
    }
    // Whom it belongs to is served, and his own command line says what is wrong with that folder.
    assert_eq!(house.token(&id), token);
    let refused = house.ctl(&["list"]);
    assert_eq!(refused.status.code(), Some(76), "{refused:?}");
    assert!(told(&refused).contains("chmod go-w"), "{refused:?}");
    chmod(&house.path(""), 0o700);
    chmod(&folder, 0o700);
    serves("the modes closed again", &house);
    assert!(house.fate(&token).alive);
    assert!(house.terminate().success());

    // Root is another user too.
    let theirs = House::open(Plan { user: Some(user), ..Plan::default() });
    for (method, params) in &calls {
        assert_eq!(theirs.client().call_until_gone(method, params.clone()), None, "{method}");
    }
    let as_theirs = || Client::connect(&theirs.socket()).unwrap().call("daemon.hello", json!({}));
    assert!(as_user(user, as_theirs).is_ok());
}

#[test]
fn sixty_four_megabytes_without_a_newline() {
    let house = in_use();
    let before = private_kib(house.pid());
    let mut flood = house.stream();
    let chunk = vec![b'x'; 1 << 20];
    let sent = (0..64).take_while(|_| flood.write_all(&chunk).is_ok()).count();
    let during = private_kib(house.pid());
    eprintln!("64 MB: {sent} MiB were taken; {before} KiB before, {during} then");
    assert!(sent < 4, "{sent} MiB were taken");
    let said = rest(&mut flood);
    assert!(said.contains("-32600") && said.contains("65536"), "{said:?}");
    serves("64 MB without a newline", &house);
    memory_comes_back("64 MB without a newline", &house, before + LEFT_BEHIND);
}

#[test]
fn two_hundred_idle_connections() {
    idle_connections(200);
}

#[test]
fn four_hundred_idle_connections() {
    idle_connections(400);
}

fn idle_connections(count: usize) {
    let probe = format!("{count} idle connections");
    let house = in_use();
    let (id, token) = house.add_one();
    let crowd = |limit| {
        let before = private_kib(house.pid());
        let idle: Vec<_> = (0..count).map(|_| house.stream()).collect();
        serves(&probe, &house);
        eprintln!("{probe}: {before} KiB before, {} with them", private_kib(house.pid()));
        drop(idle);
        memory_comes_back(&probe, &house, limit)
    };
    let left = crowd(private_kib(house.pid()) + count * LEFT_BY_EACH);
    // Whoever comes again takes nothing more.
    crowd(left + LEFT_BEHIND / 4);
    assert_eq!(house.token(&id), token);
}

#[test]
fn a_second_instance() {
    let mut house = in_use();
    let (id, token) = house.add_one();
    let elsewhere = house.path("disk/other").to_string_lossy().into_owned();
    for words in [&[][..], &["--state-dir", &elsewhere]] {
        let second = house.run_daemon(words);
        assert_eq!(second.status.code(), Some(1), "{second:?}");
        assert!(told(&second).contains("Stop that daemon first"), "{second:?}");
        assert_eq!(house.token(&id), token, "the first one has its socket still");
    }
    let second = house.ctl(&["start"]);
    assert!(second.status.success(), "one runs already, which is fine: {second:?}");
    serves("a second instance", &house);
    // A dead one's socket is in nobody's way.
    house.kill_9();
    assert!(house.socket().exists());
    house.start();
    assert_eq!(house.token(&id), token);
    assert!(house.terminate().success());
    assert!(!house.fate(&token).alive);
}
