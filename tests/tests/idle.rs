//! A daemon with nothing to do does nothing: whoever's machine it runs on pays for every wakeup.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use securid_tests::patience::{is_installed, is_root};
use securid_tests::programs::programs;
use securid_tests::{Bus, FakeLogind, House, Plan, Screen, eventually, skipped};
use serde_json::json;

/// How often all threads of the daemon have gone to sleep so far.
fn naps(house: &House) -> u64 {
    let threads = fs::read_dir(format!("/proc/{}/task", house.pid())).unwrap();
    threads
        .filter_map(|thread| fs::read_to_string(thread.unwrap().path().join("status")).ok())
        .filter_map(|status| {
            let line = status.lines().find(|line| line.starts_with("voluntary"))?.to_owned();
            line.split_whitespace().last()?.parse::<u64>().ok()
        })
        .sum()
}

/// Libraries let idle threads and connections go after some seconds; what wakes after that, wakes
/// for ever. So of several looks one has to see nothing at all.
fn comes_to_rest(house: &House) {
    let seen: Vec<u64> = (0..8)
        .map(|_| {
            let before = naps(house);
            sleep(Duration::from_secs(3));
            naps(house).saturating_sub(before)
        })
        .take_while(|&wakeups| wakeups > 0)
        .collect();
    assert!(seen.len() < 8, "wakeups in 3 s each: {seen:?}");
}

/// The runtime's, which waits: threads for disk, keyring, log and names come with what there is to do.
fn is_one_thread(house: &House) {
    eventually("all other threads to go", || {
        let threads = fs::read_dir(format!("/proc/{}/task", house.pid())).unwrap();
        (threads.count() == 1).then_some(())
    });
}

/// How much of the program's file is mapped into the daemon's memory, in kB.
fn mapped(house: &House) -> u64 {
    let program = fs::canonicalize(&programs().daemon).unwrap();
    let program = program.to_str().unwrap();
    let maps = fs::read_to_string(format!("/proc/{}/smaps", house.pid())).unwrap();
    let mut ours = false;
    let mut all = 0;
    for line in maps.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[0] {
            "Rss:" if ours => all += words[1].parse::<u64>().unwrap(),
            range if range.contains('-') => ours = line.ends_with(program),
            _ => {}
        }
    }
    all
}

#[test]
fn what_it_does_not_need_it_does_not_keep() {
    if !is_root() {
        return skipped("only root may read the daemon's memory");
    }
    let house = House::open(Plan::default());
    house.login();
    let busy = mapped(&house);
    eventually("most of the program to be let go of", || {
        let resting = mapped(&house);
        (0 < resting && resting < busy / 2).then_some(())
    });
    // All of it is there when it is needed.
    house.call("session.logout", json!({"all": true, "wait": "20s"}));
    house.eventually_empty();
}

#[test]
fn nothing_wakes_a_daemon_that_only_holds() {
    // `auto` without a bus: the Secret Service is asked for in vain, then the kernel's keyring.
    let house = House::open(Plan { keyring: "auto", ..Plan::default() });
    house.login();
    comes_to_rest(&house);
}

#[test]
fn nor_one_that_is_watched() {
    let house = House::open(Plan::default());
    house.login();
    let mut watcher = house.client();
    watcher.call("events.subscribe", json!({})).unwrap();
    assert_eq!(watcher.receive().unwrap()["params"]["event"], "session");
    assert_eq!(watcher.receive().unwrap()["params"]["event"], "ready");
    comes_to_rest(&house);
    is_one_thread(&house);
}

#[test]
fn nor_one_whose_keyring_is_on_the_bus() {
    let Some(house) = House::with_gnome_keyring(Plan { keyring: "auto", ..Plan::default() }) else {
        return;
    };
    house.login();
    comes_to_rest(&house);
}

#[test]
fn nor_one_that_minds_logind() {
    let desktop = "on_lock = \"revoke\"\non_suspend = \"revoke\"\nnotify = true";
    let mut house = House::build(Plan { top: desktop.to_owned(), ..Plan::default() });
    if !is_installed("dbus-daemon") {
        return;
    }
    let bus = Bus::start(&house.path("system"));
    let logind = FakeLogind::start(&bus, &[Screen::ours("c1")]);
    house.start();
    house.login();
    eventually("an inhibitor", || (logind.inhibitors("sleep") == 1).then_some(()));
    comes_to_rest(&house);
    assert_eq!((logind.inhibitors("shutdown"), logind.inhibitors("sleep")), (1, 1));
}
