//! A panic anywhere ends the daemon, in words and with a status of its own, and the next one goes on. Never
//! is there one that only half works.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs::OpenOptions;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::Signal;
use securid_tests::{Client, House, PASSWORD, Plan, programs, timed};
use serde_json::{Value, json};

/// The exit status after a panic.
const INTERNAL_ERROR: i32 = 70;

/// What the panic says, as an `expect` would of a value. Nobody may repeat it.
const SAYING: &str = "a-value-8f31c0ffee";

/// How long the end may take: two seconds for its words, and a busy machine.
const ENDS_WITHIN: Duration = Duration::from_secs(8);

/// Where it panics, and the thread that the words have to name.
type Case = (&'static str, &'static str);

const CASES: [Case; 15] = [
    // What a connection carries out.
    ("login.begun#1", "main"),
    // The keeper.
    ("add.begun#1", "main"),
    ("add.acknowledged#1", "main"),
    ("use.asked#1", "main"),
    ("logout.asked#1", "main"),
    // A revocation, before it is sent and after it was confirmed.
    ("attempt.begun#1", "main"),
    ("attempt.confirmed#1", "main"),
    // The keyring's thread, the disk's, the audit's.
    ("keyring.put#1", "keyring"),
    ("keyring.deleted#1", "keyring"),
    ("record-active.written#1", "disk"),
    ("record-revoking.renamed#1", "disk"),
    ("audit#1", "audit"),
    // What minds the desktop.
    ("desktop#1", "main"),
    // While it stops.
    ("stop.asked#1", "main"),
    ("stop.over#1", "main"),
];

#[test]
fn wherever_it_is_the_daemon_ends_and_the_next_one_goes_on() {
    thread::scope(|scope| {
        for cases in CASES.chunks(CASES.len().div_ceil(5)) {
            scope.spawn(|| cases.iter().for_each(panics));
        }
    });
}

fn panics((place, thread): &Case) {
    let mut house = House::build(Plan { log: "trace", ..Plan::default() });
    let audit = house.path("disk/audit.jsonl");
    let top = format!("audit = \"{}\"\n[revocation]", audit.display());
    house.change_config("[revocation]", &top);
    let mut command = house.daemon_command();
    command.env("SECURID_PANIC_AT", place).env("SECURID_PANIC_SAYING", SAYING);
    command.env("RUST_BACKTRACE", "full");
    house.start_with(command);

    let token = house.simulator.issue("alice");
    let (status, took) = timed(|| {
        let socket = house.socket();
        for (method, params) in [
            ("session.add", json!({"token": &token})),
            ("session.login", json!({"password": PASSWORD})),
            ("session.touch", json!({})),
            ("session.logout", json!({"all": true, "wait": "10s"})),
        ] {
            if call(&socket, method, params).is_none() {
                break;
            }
        }
        house.signal(Signal::TERM);
        house.wait_for_end(ENDS_WITHIN)
    });
    assert_eq!(status.code(), Some(INTERNAL_ERROR), "{place}: {status}");
    assert!(took < ENDS_WITHIN, "{place}: {took:?}");
    let log = house.log();
    let words = log.lines().find(|line| line.starts_with("securid-sessiond: internal error"));
    let words = words.unwrap_or_else(|| panic!("{place}: not a word:\n{log}"));
    assert!(words.contains("panic at crates/"), "{place}: {words}");
    assert!(words.contains(&format!("thread {thread}")), "{place}: {words}");
    assert!(!log.contains(SAYING) && !log.contains("backtrace"), "{place}: {log}");
    assert!(log.contains("taking up what is recorded"), "{place}: what came before is lost: {log}");

    house.start();
    // Where it was not acknowledged, its client still has it. One that was stored is revoked already.
    if house.fate(&token).alive {
        let _ = house.try_call("session.add", json!({"token": &token}));
    }
    house.call("session.logout", json!({"all": true, "wait": "10s"}));
    house.eventually_true("every token's end", |truth| truth.alive().is_empty());
    house.eventually_empty();
    house.assert_no_leak();
}

/// None if the daemon is gone: whoever asks is not left waiting.
fn call(socket: &Path, method: &str, params: Value) -> Option<Value> {
    Client::connect(socket).ok()?.call_until_gone(method, params)?.ok()
}

#[test]
fn a_client_is_told_that_it_has_gone() {
    let mut house = House::build(Plan::default());
    let mut command = house.daemon_command();
    command.env("SECURID_PANIC_AT", "login.begun#1");
    house.start_with(command);
    let (told, took) = timed(|| house.ctl_with(&["login", "--password-stdin"], PASSWORD));
    assert_eq!(told.status.code(), Some(69), "{told:?}");
    assert!(String::from_utf8_lossy(&told.stderr).contains("ended before it answered"), "{told:?}");
    assert!(took < ENDS_WITHIN, "{took:?}");
    assert_eq!(house.wait_for_end(ENDS_WITHIN).code(), Some(INTERNAL_ERROR));
}

/// Nobody reads its stderr, so its words never get out. It ends all the same.
#[test]
fn a_log_that_nobody_reads_holds_it_not() {
    let mut house = House::build(Plan { log: "trace", ..Plan::default() });
    let (reader, writer) = std::io::pipe().unwrap();
    fill_up(&writer);
    let mut command = house.daemon_command();
    command.env("SECURID_PANIC_AT", "add.acknowledged#1");
    house.start_telling(command, writer);
    let token = house.simulator.issue("alice");
    assert_eq!(call(&house.socket(), "session.add", json!({"token": &token})), None);
    assert_eq!(house.wait_for_end(ENDS_WITHIN).code(), Some(INTERNAL_ERROR));
    drop(reader);
    house.start();
    house.call("session.logout", json!({"all": true, "wait": "10s"}));
    assert_eq!(house.simulator.truth().alive(), [""; 0]);
}

fn fill_up(pipe: &std::io::PipeWriter) {
    use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
    let flags = fcntl_getfl(pipe).unwrap();
    fcntl_setfl(pipe, flags | OFlags::NONBLOCK).unwrap();
    while rustix::io::write(pipe, &[b'x'; 512]).is_ok() {}
    fcntl_setfl(pipe, flags).unwrap();
}

/// What cannot be said is no reason for another exit status: hooks go by that.
#[test]
fn a_full_stderr_changes_no_exit_status_of_the_command_line() {
    let house = House::open(Plan::default());
    for words in [&["token", "beefbeef"][..], &["logout", "beefbeef", "--json"], &["frobnicate"]] {
        let expected = house.ctl(words).status.code();
        let mut command = Command::new(&programs::programs().ctl);
        house.furnish(&mut command);
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let status = command
            .args(words)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(full)
            .status()
            .unwrap();
        assert_eq!(status.code(), expected, "{words:?}");
        assert!(matches!(expected, Some(2 | 66)), "{words:?}: {expected:?}");
    }
}
