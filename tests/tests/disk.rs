//! A disk that is full, read-only, slow or swept: nothing new is taken in, revocation goes on, nothing
//! acknowledged is lost. Files that hang, as those on a dead network share do, hang nobody else.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use rustix::fs::{CWD, Mode, mkfifoat};
use securid_simulator::Fault;
use securid_tests::patience::is_root;
use securid_tests::stranger::as_user;
use securid_tests::{
    Client, House, PASSWORD, Plan, SlowDisk, SmallDisk, eventually, is_installed, skipped, timed,
    within,
};
use serde_json::json;

/// Room again is noticed within the longest wait between two errands (30 s).
const NOTICED: Duration = Duration::from_secs(40);

/// What "at once" is on a loaded machine; less than the disk's 5 s.
const AT_ONCE: Duration = Duration::from_secs(2);

/// The daemon's 5 s for a disk, and what a loaded machine adds.
const ANSWERED: Duration = Duration::from_millis(6500);

#[test]
fn full() {
    if !SmallDisk::is_possible() {
        return;
    }
    let mut house = House::open(Plan { disk: Some("128k"), ..Plan::default() });
    let held = house.add_many(3);
    house.disk().fill();

    let brought = house.simulator.issue("alice");
    for (method, params) in [
        ("session.add", json!({"token": brought})),
        ("session.login", json!({"password": PASSWORD})),
    ] {
        let (refused, took) = timed(|| house.refused(method, params));
        assert_eq!(refused.code, -32005, "{method}: {refused:?}");
        assert!(refused.data["hint"].as_str().unwrap().contains("room"), "{refused:?}");
        assert!(took < Duration::from_secs(6), "{method}: {took:?}");
    }
    house.eventually_true("the end of what was not taken in", |truth| truth.alive().len() == 4);
    assert_eq!(house.sessions().iter().filter(|s| s["state"] == "active").count(), 3);

    // The intent cannot be written; the attempt is made all the same, and the answer says so.
    let (first, one) = &held[0];
    house.simulator.set_fault(Some(Fault::Status(503)));
    let item = house.logout(first, "500ms");
    assert_eq!((&item["state"], &item["durable"]), (&json!("revoking"), &json!(false)), "{item}");
    assert_eq!(house.session(first).unwrap()["revocation"]["durable"], false);
    assert!(house.fate(one).logout_requests >= 1);
    let unwaited = house.call("session.logout", json!({"sessions": [first]}));
    assert_eq!(unwaited["sessions"][0]["durable"], false, "{unwaited}");
    house.simulator.set_fault(None);
    house.eventually_true("its end", |truth| !truth.token(one).unwrap().alive);

    // What was acknowledged is known to the next daemon too.
    house.kill_9();
    house.start();
    for (id, token) in &held[1..] {
        assert_eq!(&house.token(id), token);
    }
    let (second, _) = &held[1];
    let (item, took) = timed(|| house.logout(second, "10s"));
    assert_eq!(item["outcome"], "revoked", "{item}");
    assert!(took < Duration::from_secs(5), "{took:?}");
    // It left the list, so it stands in the history, which has no room for it yet.
    let told = house.call("session.history", json!({}));
    assert_eq!(told["sessions"][0]["id"], second.as_str(), "{told}");

    house.disk().empty();
    within(NOTICED, "a session", || house.try_call("session.add", json!({"token": brought})).ok());
    let all = house.call("session.logout", json!({"all": true, "wait": "10s"}));
    assert!(all["sessions"].as_array().unwrap().iter().all(|s| s["state"] == "ended"), "{all}");
    assert_eq!(house.simulator.truth().alive(), [""; 0]);
    within(NOTICED, "the records to go", || house.records().is_empty().then_some(()));
    assert_eq!(house.secrets(), 0);
    for (id, _) in &held {
        assert!(house.ended(id).is_some(), "{id} is not in the history");
    }
}

/// Nothing is called durable that is not: the next daemon would lend it again.
#[test]
fn a_lost_one_that_is_logged_out_on_a_full_disk() {
    if !SmallDisk::is_possible() {
        return;
    }
    let mut house = House::open(Plan { disk: Some("128k"), ..Plan::default() });
    let (id, _) = house.add_one();
    house.kill_9();
    house.lose(&id);
    house.start();
    eventually("it to be missed", || (house.state(&id) == "lost").then_some(()));
    house.disk().fill();
    let view = house.call("session.logout", json!({"sessions": [id]}));
    assert_eq!(view["sessions"][0]["state"], "lost", "{view}");
    assert_eq!(view["sessions"][0]["durable"], false, "{view}");
    house.disk().empty();
    within(NOTICED, "the intent on disk", || {
        (house.session(&id)?["revocation"]["durable"] == true).then_some(())
    });
    let view = house.call("session.logout", json!({"sessions": [id]}));
    assert_eq!(view["sessions"][0]["durable"], true, "{view}");
}

/// What a power cut leaves, and no room to mend it: what is recorded is revoked all the same.
#[test]
fn a_torn_index_on_a_full_disk() {
    if !SmallDisk::is_possible() {
        return;
    }
    let mut house = House::open(Plan { disk: Some("128k"), ..Plan::default() });
    let (id, token) = house.add_one();
    house.kill_9();
    let index = house.index();
    OpenOptions::new().append(true).open(index).unwrap().write_all(&[0; 40]).unwrap();
    house.disk().fill();
    house.start();
    assert_eq!(house.token(&id), token);
    assert_eq!(house.logout(&id, "10s")["outcome"], "revoked");
    assert!(!house.fate(&token).alive);
    house.disk().empty();
}

#[test]
fn an_intent_is_written_as_soon_as_there_is_room() {
    if !SmallDisk::is_possible() {
        return;
    }
    let mut house = House::open(Plan { disk: Some("128k"), ..Plan::default() });
    let (id, _) = house.add_one();
    house.simulator.set_fault(Some(Fault::Down));
    house.disk().fill();
    assert_eq!(house.logout(&id, "300ms")["durable"], false);
    house.disk().empty();
    within(NOTICED, "the intent on disk", || {
        (house.session(&id)?["revocation"]["durable"] == true).then_some(())
    });
    house.kill_9();
    house.start();
    assert_eq!(house.state(&id), "revoking");
    house.simulator.set_fault(None);
    assert_eq!(house.eventually_ended(&id)["outcome"], "revoked");
}

#[test]
fn read_only() {
    if !SmallDisk::is_possible() {
        return;
    }
    let house = House::open(Plan { disk: Some("1m"), ..Plan::default() });
    let held = house.add_many(2);
    house.disk().set_read_only(&house.state_dir(), true);
    let brought = house.simulator.issue("alice");
    let refused = house.refused("session.add", json!({"token": brought}));
    assert_eq!(refused.code, -32005, "{refused:?}");
    assert!(refused.message.contains("ead-only"), "{refused:?}");

    let (first, one) = &held[0];
    house.simulator.set_fault(Some(Fault::Status(503)));
    let item = house.logout(first, "300ms");
    assert_eq!((&item["state"], &item["durable"]), (&json!("revoking"), &json!(false)), "{item}");
    house.simulator.set_fault(None);
    house.eventually_true("its end", |truth| !truth.token(one).unwrap().alive);
    assert_eq!(house.token(&held[1].0), held[1].1);

    house.disk().set_read_only(&house.state_dir(), false);
    assert_eq!(within(NOTICED, "its line", || house.ended(first))["outcome"], "revoked");
    within(NOTICED, "its record to go", || (house.records().len() == 1).then_some(()));
    assert_eq!(house.secrets(), 1);
}

/// Each sync takes so long that a record takes longer than a disk may: what hangs on the disk
/// fails, what does not goes on.
#[test]
fn slow_syncs() {
    if !is_installed("strace") {
        return;
    }
    let mut house = House::open(Plan::default());
    let held = house.add_many(2);
    let slow = SlowDisk::syncing(house.pid(), Duration::from_secs(3));
    for method in ["session.list", "daemon.status"] {
        let (_, took) = timed(|| house.call(method, json!({})));
        assert!(took < AT_ONCE, "{method}: {took:?}");
    }
    let (first, one) = &held[0];
    let (item, took) = timed(|| house.logout(first, "20s"));
    assert_eq!(item["outcome"], "revoked", "{item}");
    assert!(took < 2 * ANSWERED, "{took:?}");
    assert!(!house.fate(one).alive);
    let brought = house.simulator.issue("alice");
    let (refused, took) = timed(|| house.refused("session.add", json!({"token": brought})));
    assert_eq!(refused.code, -32005, "{refused:?}");
    assert!(took < ANSWERED, "{took:?}");
    assert!(house.fate(&brought).alive, "it stays with whoever brought it");

    drop(slow);
    let (second, two) = &held[1];
    within(NOTICED, "an end that is on disk", || {
        (house.logout(second, "5s")["durable"] == true).then_some(())
    });
    assert!(!house.fate(two).alive);
    within(NOTICED, "the records to go", || house.records().is_empty().then_some(()));
    assert_eq!(house.eventually_ended(first)["outcome"], "revoked");
    house.kill_9();
    house.start();
    assert_eq!(house.sessions(), [json!(null); 0]);
}

/// Its threads come and go, and while none is to be had nothing is taken in. Nothing is lost by that.
#[test]
fn without_a_thread_to_be_had() {
    if !is_root() {
        return skipped("only root can run it as another user");
    }
    let user = 730_000_000 + std::process::id();
    let house = House::open(Plan { user: Some(user), ..Plan::default() });
    let add = |token: &str| {
        as_user(user, || {
            let mut client = Client::connect(&house.socket()).unwrap();
            client.call("session.add", json!({"token": token}))
        })
    };
    let pid = house.pid();
    let first = house.simulator.issue("alice");
    add(&first).unwrap();
    limit_threads(&house, user, 1);
    let brought = house.simulator.issue("alice");
    let refused = add(&brought).unwrap_err();
    assert_eq!(refused.code, -32004, "{refused:?}");
    assert!(refused.message.contains("no thread"), "{refused:?}");
    // Nor does a revocation end the daemon that cannot be begun, for want of a thread for certificates and names.
    let wait = |wait: &str| {
        as_user(user, || {
            let mut client = Client::connect(&house.socket()).unwrap();
            client.call("session.logout", json!({"all": true, "wait": wait})).unwrap()
        })
    };
    let pending = wait("500ms");
    assert_eq!(pending["sessions"][0]["state"], "revoking", "{pending}");
    assert!(house.fate(&first).alive);

    limit_threads(&house, user, 1000);
    add(&brought).unwrap();
    let ended = wait("20s");
    assert!(
        ended["sessions"].as_array().unwrap().iter().all(|it| it["outcome"] == "revoked"),
        "{ended}"
    );
    within(NOTICED, "all to be dead", || house.simulator.truth().alive().is_empty().then_some(()));
    let status = as_user(user, || house.call("daemon.status", json!({})));
    assert_eq!(status["pid"], pid);
}

/// A stop without a thread to be had ends in its time, and what it could not revoke is there at the next start.
#[test]
fn a_stop_without_a_thread_to_be_had() {
    if !is_root() {
        return skipped("only root can run it as another user");
    }
    let user = 740_000_000 + std::process::id();
    let revocation = vec![("shutdown_grace", "2s")];
    let mut house = House::open(Plan { user: Some(user), revocation, ..Plan::default() });
    let (id, token) = as_user(user, || house.add_one());
    limit_threads(&house, user, 1);
    let status = house.terminate();
    assert!(status.success(), "{status}\n{}", house.log());
    assert!(house.fate(&token).alive);
    house.start();
    let ended = as_user(user, || house.logout(&id, "20s"));
    assert_eq!(ended["outcome"], "revoked", "{ended}");
    assert!(!house.fate(&token).alive);
}

/// Its own limit everybody may change, as far as it was. What is there stays.
fn limit_threads(house: &House, user: u32, most: u64) {
    let mut prlimit = Command::new("prlimit");
    prlimit.args([format!("--pid={}", house.pid()), format!("--nproc={most}:")]);
    assert!(prlimit.uid(user).gid(user).status().unwrap().success());
    eventually("its threads to go", || {
        let tasks = fs::read_dir(format!("/proc/{}/task", house.pid())).unwrap();
        (tasks.count() == 1).then_some(())
    });
}

/// Somebody removes the folder of records under a daemon that runs: at the next change it is made
/// anew with all that is known.
#[test]
fn records_that_are_removed() {
    let mut house = House::open(Plan::default());
    let held = house.add_many(3);
    fs::remove_dir_all(house.state_dir().join("sessions")).unwrap();
    let (id, _) = house.add_one();
    within(NOTICED, "all records", || (house.records().len() == 4).then_some(()));
    house.kill_9();
    house.start();
    for (id, token) in &held {
        assert_eq!(&house.token(id), token);
    }
    assert_eq!(house.state(&id), "active");

    // Nothing changes between the loss and the daemon's death: the index knows, so all are revoked.
    fs::remove_dir_all(house.state_dir().join("sessions")).unwrap();
    house.kill_9();
    house.start();
    house.eventually_true("their end", |truth| truth.alive().is_empty());
    house.eventually_empty();
}

/// Puts a pipe that nobody writes to into a file's place: who opens it to read hangs.
fn put_pipe(path: &Path) {
    mkfifoat(CWD, path, Mode::from_raw_mode(0o600)).unwrap();
}

#[test]
fn certificates_that_hang() {
    let top = "default_instance = \"prod\"".to_owned();
    let revocation = vec![("shutdown_grace", "2s")];
    let mut house = House::build(Plan { top, revocation, ..Plan::default() });
    let (good, pipe) = (house.path("ca.pem"), house.path("pipe.pem"));
    put_pipe(&pipe);
    house.change_config(good.to_str().unwrap(), pipe.to_str().unwrap());
    // Another URL: settings for the same one would be tried for it as well.
    let url = house.simulator.url().replace("localhost", "127.0.0.1");
    let good_name = good.display();
    let other = format!("[instances.other]\nurl = \"{url}\"\nca_file = \"{good_name}\"\n\n");
    house.change_config("[instances.prod]", &format!("{other}[instances.prod]"));
    house.start();
    let (stuck, token) = house.add_one();
    let elsewhere = house.simulator.issue("alice");
    let id = house.call("session.add", json!({"instance": "other", "token": elsewhere}))["id"]
        .as_str()
        .unwrap()
        .to_owned();

    house.call("session.logout", json!({"sessions": [stuck]}));
    for method in ["daemon.hello", "daemon.status", "session.list"] {
        let (_, took) = timed(|| house.call(method, json!({})));
        assert!(took < AT_ONCE, "{method}: {took:?}");
    }
    let (item, took) = timed(|| house.logout(&id, "10s"));
    assert_eq!(item["outcome"], "revoked", "{item}");
    assert!(took < AT_ONCE, "{took:?}");
    assert!(!house.fate(&elsewhere).alive);
    let (status, took) = timed(|| house.terminate());
    assert_eq!(status.code(), Some(0));
    assert!(took < Duration::from_millis(3500), "{took:?}");
    assert!(house.fate(&token).alive, "nobody could tell the server");

    fs::remove_file(&pipe).unwrap();
    fs::copy(&good, &pipe).unwrap();
    house.start();
    assert_eq!(house.eventually_ended(&stuck)["outcome"], "revoked");
    assert_eq!(house.simulator.truth().alive(), [""; 0]);
}

#[test]
fn certificates_that_hang_while_others_for_the_same_url_do_not() {
    let top = "default_instance = \"prod\"".to_owned();
    let mut house = House::build(Plan { top, ..Plan::default() });
    let (good, pipe) = (house.path("ca.pem"), house.path("pipe.pem"));
    put_pipe(&pipe);
    house.change_config(good.to_str().unwrap(), pipe.to_str().unwrap());
    let (url, good_name) = (house.simulator.url().to_owned(), good.display());
    let other = format!("[instances.other]\nurl = \"{url}\"\nca_file = \"{good_name}\"\n\n");
    house.change_config("[instances.prod]", &format!("{other}[instances.prod]"));
    house.start();
    let (stuck, token) = house.add_one();
    house.call("session.logout", json!({"sessions": [stuck]}));
    assert_eq!(house.eventually_ended(&stuck)["outcome"], "revoked");
    assert!(!house.fate(&token).alive);
}

#[test]
fn a_history_that_hangs() {
    let house = House::open(Plan::default());
    let (id, token) = house.add_one();
    let history = house.state_dir().join("history.jsonl");
    put_pipe(&history);
    let (refused, took) = timed(|| house.refused("session.history", json!({})));
    assert_eq!(refused.code, -32005, "{refused:?}");
    assert!(took < ANSWERED, "{took:?}");

    let unknown = "00000000000000aa";
    let params = json!({"sessions": [id, unknown], "wait": "2s"});
    let (view, took) = timed(|| house.call("session.logout", params));
    assert!(took < Duration::from_secs(2) + ANSWERED, "{took:?}");
    assert_eq!(view["sessions"][0]["id"], id.as_str(), "{view}");
    assert_eq!(view["refused"][0]["selector"], unknown, "{view}");
    house.eventually_true("its end", |truth| !truth.token(&token).unwrap().alive);

    // Whoever hangs in it sees its end, and what follows is a file again.
    let writer = OpenOptions::new().read(true).write(true).open(&history).unwrap();
    fs::remove_file(&history).unwrap();
    drop(writer);
    within(NOTICED, "its record to go", || house.records().is_empty().then_some(()));
    assert_eq!(house.eventually_ended(&id)["outcome"], "revoked");
}
