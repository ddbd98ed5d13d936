//! An audit that cannot be written holds nothing up, and what it missed it is told later.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::time::Duration;

use rustix::fs::{CWD, Mode, mkfifoat};
use securid_tests::{
    House, PATIENCE, Plan, Signal, SlowDisk, SmallDisk, audit, eventually, is_installed, timed,
    within,
};
use serde_json::json;

/// What "at once" is on a loaded machine; less than any deadline of the audit or the disk.
const AT_ONCE: Duration = Duration::from_secs(2);

/// What is mended is noticed within the longest wait between two tries (30 s).
const NOTICED: Duration = Duration::from_secs(40);

/// How often a token is lent on a full disk: some 10 KB of lines.
const LENT: usize = 40;

fn problems(house: &House) -> String {
    house.call("daemon.status", json!({}))["problems"].to_string()
}

/// A logout is confirmed at once, and in the history.
fn logs_out(house: &House, id: &str, token: &str) {
    let (item, took) = timed(|| house.logout(id, "10s"));
    assert_eq!(item["outcome"], "revoked", "{item}");
    assert!(took < AT_ONCE, "{took:?}");
    assert!(!house.fate(token).alive);
    assert!(house.ended(id).is_some());
    assert_eq!(house.state(id), "gone");
}

/// A pipe without a reader would hang whoever opens it.
#[test]
fn a_file_that_is_none() {
    let mut house = House::build(Plan::default());
    mkfifoat(CWD, house.audit_file(), Mode::from_raw_mode(0o600)).unwrap();
    let key = format!("audit = {:?}\nkeyring = ", house.audit_file());
    house.change_config("keyring = ", &key);
    let checked = house.run_daemon(&["--check-config"]);
    assert_eq!(checked.status.code(), Some(78), "{checked:?}");
    let words = String::from_utf8_lossy(&checked.stderr);
    assert!(words.contains(":1: audit: it is no regular file"), "{words}");

    house.start();
    let (id, token) = house.add_one();
    logs_out(&house, &id, &token);
    assert!(problems(&house).contains("it is no regular file"), "{}", problems(&house));
    // Until the audit has its end, the record keeps it: a crash forgets nothing.
    assert_eq!(house.records().len(), 1);
    let (_, took) = timed(|| assert!(house.terminate().success()));
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert_eq!(house.records().len(), 1);

    fs::remove_file(house.audit_file()).unwrap();
    house.start();
    house.eventually_empty();
    assert_eq!(house.events(&id), ["resumed", "confirmed"]);
    assert_eq!(house.life(&id)[0]["stage"], "ended");
    assert_eq!(problems(&house), "[]");
    assert_eq!(house.fate(&token).logout_requests, 1);
}

/// One that is mended while the daemon runs gets everything.
#[test]
fn full() {
    if !SmallDisk::is_possible() {
        return;
    }
    let house = House::audited(Plan { disk: Some("128k"), ..Plan::default() });
    let (id, token) = house.add_one();
    house.eventually_audited(&id, "created");
    house.disk().fill();
    // More than the last page of the file has room for.
    (0..LENT).for_each(|_| assert_eq!(house.token(&id), token));
    let (item, took) = timed(|| house.logout(&id, "10s"));
    assert_eq!(item["outcome"], "revoked", "{item}");
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert!(!house.fate(&token).alive);
    eventually("a word about it", || problems(&house).contains("Make room there").then_some(()));
    house.disk().empty();
    within(NOTICED, "the end in the audit", || {
        house.events(&id).contains(&"confirmed".to_owned()).then_some(())
    });
    within(NOTICED, "the record to go", || house.records().is_empty().then_some(()));
    let expected = ["created"].into_iter().chain(["lent"; LENT]);
    let expected = expected.chain(["revocation-asked", "attempt", "confirmed"]);
    assert_eq!(house.events(&id), expected.collect::<Vec<_>>());
    assert!(!problems(&house).contains("audit"), "{}", problems(&house));
    house.assert_audited();
}

/// From now on its disk hangs. The audit's thread is there for a second after each line.
fn hangs(house: &House, id: &str) -> SlowDisk {
    eventually("strace to hold on to the audit's thread", || {
        house.token(id);
        let slow = SlowDisk::syncing_of_thread(house.pid(), "audit", Duration::from_secs(60));
        house.token(id);
        slow
    })
}

/// Its disk takes lines and does not come back from syncing them.
#[test]
fn hanging() {
    if !is_installed("strace") {
        return;
    }
    let mut house = House::audited(Plan::default());
    let (id, token) = house.add_one();
    house.eventually_audited(&id, "created");
    let slow = hangs(&house, &id);
    logs_out(&house, &id, &token);
    let (other, other_token) = house.add_one();
    house.token(&other);
    logs_out(&house, &other, &other_token);
    within(NOTICED, "a word about it", || problems(&house).contains("hangs").then_some(()));
    assert_eq!(house.records().len(), 2);
    // A power cut now could take the lines along. The records are there to tell them again.
    house.signal(Signal::KILL);
    drop(slow);
    house.kill_9();
    house.start();
    house.eventually_empty();
    let events = house.events(&id);
    assert!(events.ends_with(&["resumed".to_owned(), "confirmed".to_owned()]), "{events:?}");
    house.eventually_audited(&other, "confirmed");
    house.assert_audited();
}

#[test]
fn hanging_at_a_stop() {
    if !is_installed("strace") {
        return;
    }
    let mut house = House::audited(Plan::default());
    let held = house.add_many(5);
    house.eventually_audited(&held[0].0, "created");
    let slow = hangs(&house, &held[0].0);
    let pid = house.pid();
    house.signal(Signal::TERM);
    // What is traced cannot be waited for, but it can be seen that it is over.
    let (_, took) = timed(|| {
        eventually("its end", || {
            let about = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
            about.contains(") Z ").then_some(())
        });
    });
    // An audit that hangs is waited for, but not as long as there is grace.
    assert!(took < Duration::from_millis(4900), "{took:?}");
    assert_eq!(house.simulator.truth().alive(), [""; 0]);
    drop(slow);
    assert!(house.wait_for_end(PATIENCE).success());
    house.start();
    house.eventually_empty();
    for (id, _) in &held {
        house.eventually_audited(id, "confirmed");
    }
    house.assert_audited();
}

/// Nobody needs to be told of a rotation.
#[test]
fn rotated() {
    let house = House::audited(Plan::default());
    let (id, _) = house.add_one();
    house.eventually_audited(&id, "created");
    let old = house.path("disk/audit.jsonl.1");
    fs::rename(house.audit_file(), &old).unwrap();
    house.logout(&id, "10s");
    house.eventually_audited(&id, "confirmed");
    assert_eq!(house.events(&id), ["revocation-asked", "attempt", "confirmed"]);
    let before: Vec<_> = audit::read(&old).iter().map(|line| line["event"].clone()).collect();
    assert_eq!(before, ["created"]);
}

/// The first line after a crash is one by itself.
#[test]
fn cut_off_in_the_midst() {
    let mut house = House::audited(Plan::default());
    let (id, _) = house.add_one();
    house.eventually_audited(&id, "created");
    house.kill_9();
    let mut text = fs::read_to_string(house.audit_file()).unwrap();
    text.truncate(text.len() / 2);
    fs::write(house.audit_file(), &text).unwrap();
    house.start();
    house.logout(&id, "10s");
    house.eventually_audited(&id, "confirmed");
    assert_eq!(house.events(&id), ["resumed", "revocation-asked", "attempt", "confirmed"]);
    assert!(fs::read_to_string(house.audit_file()).unwrap().starts_with(&(text + "\n")));
}
