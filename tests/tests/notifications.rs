//! What a person learns on the desktop: what ended by itself, and what gets nowhere.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::process::Command;
use std::time::Duration;

use securid_simulator::Fault;
use securid_tests::patience::is_installed;
use securid_tests::process::run;
use securid_tests::{Bubble, Bus, House, NotificationServer, Plan, eventually, timed};
use serde_json::{Value, json};

/// What "at once" is on a loaded machine; less than the 5 s that showing something may take.
const AT_ONCE: Duration = Duration::from_secs(2);

/// How long something that must not happen is waited for: many times what it would take.
const NEVER: Duration = Duration::from_millis(700);

struct Desktop {
    server: NotificationServer,
    house: House,
    _bus: Bus,
}

fn open(top: &str) -> Option<Desktop> {
    let house = House::build(Plan { top: top.to_owned(), ..Plan::default() });
    let bus = is_installed("dbus-daemon").then(|| Bus::start(&house.path("home")))?;
    let mut desktop = Desktop { server: NotificationServer::start(&bus), house, _bus: bus };
    desktop.house.start();
    Some(desktop)
}

impl Desktop {
    /// Waits for exactly one bubble with these words in its title.
    fn one(&self, words: &str) -> Bubble {
        eventually(words, || {
            let shown = self.server.shown();
            shown.iter().find(|b| b.summary.contains(words)).filter(|_| shown.len() == 1).cloned()
        })
    }

    /// Starts the daemon anew, with sessions whose end was asked for so many seconds ago.
    fn age(&mut self, sessions: [(&str, u32); 2]) {
        self.house.kill_9();
        for (id, seconds) in sessions {
            let record = self.house.state_dir().join(format!("sessions/{id}.json"));
            let text = fs::read_to_string(&record).unwrap();
            let mut says: Value = serde_json::from_str(&text).unwrap();
            let mut date = Command::new("date");
            date.args(["-u", "+%FT%TZ", "-d", &format!("-{seconds} seconds")]);
            let then = String::from_utf8(run(date, "", AT_ONCE).stdout).unwrap();
            assert_eq!(says["stage"]["name"], "revoking", "{says}");
            says["stage"]["since"]["at"] = json!(then.trim());
            fs::write(&record, format!("{says}\n")).unwrap();
        }
        self.house.start();
    }
}

#[test]
fn a_session_that_ends_by_itself_is_told() {
    let Some(desktop) = open("notify = true\nidle_timeout = \"300ms\"") else { return };
    let (id, token) = desktop.house.add_one();
    let bubble = desktop.one("The session at prod has ended");
    assert_eq!(bubble.body, "Not used for too long");
    assert_eq!(desktop.house.eventually_ended(&id)["reason"], "idle");
    // Others that end soon after share the bubble.
    desktop.house.add_many(2);
    let both = desktop.one("3 sessions have ended");
    assert_eq!((both.id, both.body.as_str()), (bubble.id, "3: not used for too long"));
    let seen = format!("{bubble:?}{both:?}");
    assert!(!seen.contains(&token));
}

#[test]
fn what_a_person_asked_for_is_no_news() {
    let Some(desktop) = open("notify = true") else { return };
    let (id, _) = desktop.house.add_one();
    assert_eq!(desktop.house.logout(&id, "5s")["outcome"], "revoked");
    std::thread::sleep(NEVER);
    assert_eq!(desktop.server.calls(), 0);
}

#[test]
fn nothing_is_told_unless_it_is_wanted() {
    let Some(desktop) = open("idle_timeout = \"300ms\"") else { return };
    let (id, _) = desktop.house.add_one();
    desktop.house.eventually_ended(&id);
    std::thread::sleep(NEVER);
    assert_eq!(desktop.server.calls(), 0);
}

#[test]
fn a_revocation_that_gets_nowhere_is_told_until_it_gets_there() {
    let Some(mut desktop) = open("notify = true") else { return };
    let (first, _) = desktop.house.add_one();
    let (second, _) = desktop.house.add_one();
    desktop.house.simulator.set_fault(Some(Fault::Status(503)));
    desktop.house.logout(&first, "100ms");
    desktop.house.logout(&second, "100ms");
    assert_eq!(desktop.server.calls(), 0);
    // The minute is over in a moment.
    desktop.age([(&first, 57), (&second, 53)]);
    let bubble = desktop.one("The session at prod is not revoked yet");
    assert!(bubble.body.contains("503"), "{bubble:?}");
    desktop.one("2 sessions are not revoked yet");
    desktop.house.simulator.set_fault(None);
    desktop.house.eventually_true("their end", |truth| truth.alive().is_empty());
    eventually("the bubble to go", || desktop.server.shown().is_empty().then_some(()));
}

#[test]
fn a_server_that_hangs_costs_nothing() {
    let Some(desktop) = open("notify = true\nidle_timeout = \"300ms\"") else { return };
    let frozen = desktop.server.freeze();
    for _ in 0..3 {
        let ((id, _), took) = timed(|| desktop.house.add_one());
        assert!(took < AT_ONCE, "{took:?}");
        let (line, took) = timed(|| desktop.house.eventually_ended(&id));
        assert!(took < AT_ONCE, "{took:?}");
        assert_eq!(line["outcome"], "revoked");
    }
    eventually("it to be called", || (desktop.server.calls() == 1).then_some(()));
    std::thread::sleep(NEVER);
    assert_eq!(desktop.server.calls(), 1, "one call at a time");
    drop(frozen);
    // The newest word wins.
    eventually("the newest word", || {
        desktop.server.shown().iter().any(|b| b.summary == "3 sessions have ended").then_some(())
    });
}

#[test]
fn without_a_bus_nothing_is_missed_but_the_bubbles() {
    let top = "notify = true\nidle_timeout = \"300ms\"".to_owned();
    let house = House::open(Plan { top, ..Plan::default() });
    let (id, _) = house.add_one();
    assert_eq!(house.eventually_ended(&id)["outcome"], "revoked");
}
