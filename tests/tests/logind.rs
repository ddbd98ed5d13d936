//! The machine goes down, sleeps, or its screen is locked: what is to end ends, and whatever becomes
//! of logind and the bus, nobody is held up.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::os::unix::net::UnixStream;
use std::thread::sleep;
use std::time::Duration;

use rustix::net::{AddressFamily, SocketAddrUnix, SocketType};
use securid_simulator::Fault;
use securid_tests::patience::{is_installed, is_root};
use securid_tests::{Bus, FakeLogind, House, Plan, Screen, eventually, skipped, timed};
use serde_json::json;

/// What "at once" is on a loaded machine; less than the 5 s of a call to the bus.
const AT_ONCE: Duration = Duration::from_secs(2);

/// How long something that must not happen is waited for: many times what it would take.
const NEVER: Duration = Duration::from_millis(700);

/// A house with a bus and a logind on it.
struct Home {
    logind: FakeLogind,
    bus: Bus,
    house: House,
}

impl Home {
    fn open(top: &str, instance: &str) -> Option<Self> {
        Self::with(top, instance, &[Screen::ours("c1")])
    }

    fn with(top: &str, instance: &str, screens: &[Screen]) -> Option<Self> {
        let house = House::build(Plan {
            top: top.to_owned(),
            instance: instance.to_owned(),
            // A server that takes its time is not one that does not answer, on a loaded machine either.
            revocation: vec![("attempt_timeout", "10s")],
            ..Plan::default()
        });
        let bus = is_installed("dbus-daemon").then(|| Bus::start(&house.path("system")))?;
        let mut home = Self { logind: FakeLogind::start(&bus, screens), bus, house };
        home.house.start();
        Some(home)
    }

    fn eventually_held(&self, what: &str, count: usize) {
        eventually(what, || (self.logind.inhibitors(what) == count).then_some(()));
    }

    /// Has a session whose locks are watched: that is so once there is an inhibitor.
    fn watched(&self) -> String {
        let (id, _) = self.house.add_one();
        self.eventually_held("shutdown", 1);
        id
    }

    fn remains_active(&self, id: &str) {
        sleep(NEVER);
        assert_eq!(self.house.state(id), "active");
    }

    fn ends(&self, id: &str, reason: &str) {
        let line = self.house.eventually_ended(id);
        assert_eq!((&line["reason"], &line["outcome"]), (&json!(reason), &json!("revoked")));
    }
}

#[test]
fn a_shutdown_revokes_and_waits_for_it() {
    let Some(home) = Home::open("on_exit = \"keep\"", "") else { return };
    assert_eq!(home.logind.given_out(), 0);
    let id = home.watched();
    assert_eq!(home.logind.inhibitors("sleep"), 0);
    home.house.simulator.set_latency(Duration::from_millis(900));
    home.logind.prepare_for_shutdown(true);
    eventually("its revocation", || (home.house.state(&id) == "revoking").then_some(()));
    assert_eq!(home.logind.inhibitors("shutdown"), 1);
    home.eventually_held("shutdown", 0);
    assert_eq!(home.house.simulator.truth().alive(), [""; 0]);
    home.ends(&id, "shutdown");
    assert_eq!(home.house.refused("session.add", json!({"token": "t"})).code, -32010);
    let login = json!({"password": securid_tests::PASSWORD});
    assert_eq!(home.house.refused("session.login", login).code, -32010);

    home.logind.prepare_for_shutdown(false);
    let id = eventually("the daemon to go on", || {
        let token = home.house.simulator.issue("alice");
        let taken = home.house.try_call("session.add", json!({"token": token})).ok()?;
        Some(taken["id"].as_str()?.to_owned())
    });
    home.eventually_held("shutdown", 1);
    home.remains_active(&id);
}

#[test]
fn a_shutdown_is_not_held_up_by_a_server_that_is_down() {
    let Some(home) = Home::open("", "") else { return };
    let id = home.watched();
    home.house.simulator.set_fault(Some(Fault::Status(503)));
    home.logind.prepare_for_shutdown(true);
    let ((), took) = timed(|| home.eventually_held("shutdown", 0));
    assert!(took < AT_ONCE, "{took:?}");
    assert_eq!(home.house.state(&id), "revoking");
}

#[test]
fn an_old_pending_revocation_holds_no_machine_up() {
    let Some(home) = Home::open("", "") else { return };
    let id = home.watched();
    home.house.simulator.set_fault(Some(Fault::Down));
    home.house.logout(&id, "10ms");
    home.eventually_held("shutdown", 0);
    sleep(NEVER);
    assert_eq!((home.logind.inhibitors("shutdown"), home.logind.given_out()), (0, 1));
    eventually("the bus to be left", || home.logind.listeners().is_empty().then_some(()));
}

#[test]
fn the_end_of_the_boot_wins_over_keep() {
    let Some(mut home) = Home::open("on_exit = \"keep\"", "") else { return };
    let id = home.watched();
    home.house.simulator.set_fault_for("logoutUser", Some(Fault::Status(503)));
    home.logind.prepare_for_shutdown(true);
    home.eventually_held("shutdown", 0);
    home.house.signal(securid_tests::Signal::TERM);
    // It tries on within its grace.
    sleep(NEVER);
    home.house.simulator.set_fault_for("logoutUser", None);
    assert_eq!(home.house.wait_for_end(Duration::from_secs(10)).code(), Some(0));
    assert_eq!(home.house.simulator.truth().alive(), [""; 0]);
    home.house.start();
    home.ends(&id, "shutdown");
}

#[test]
fn sleep_revokes_where_it_is_to() {
    let Some(home) = Home::open("", "on_suspend = \"revoke\"") else { return };
    let id = home.watched();
    home.eventually_held("sleep", 1);
    home.house.simulator.set_latency(Duration::from_millis(600));
    home.logind.prepare_for_sleep(true);
    eventually("its revocation", || (home.house.state(&id) == "revoking").then_some(()));
    assert_eq!(home.logind.inhibitors("sleep"), 1);
    home.eventually_held("sleep", 0);
    assert_eq!(home.house.simulator.truth().alive(), [""; 0]);
    home.ends(&id, "suspend");
    home.logind.prepare_for_sleep(false);
    let (id, _) = home.house.add_one();
    home.eventually_held("sleep", 1);
    home.remains_active(&id);
}

#[test]
fn sleep_keeps_where_nothing_is_said() {
    let Some(home) = Home::open("", "") else { return };
    let id = home.watched();
    home.logind.prepare_for_sleep(true);
    home.remains_active(&id);
    home.logind.prepare_for_sleep(false);
    home.remains_active(&id);
    assert_eq!((home.logind.inhibitors("sleep"), home.logind.given_out()), (0, 1));
}

#[test]
fn a_lock_by_either_sign_ends_sessions_even_held_ones() {
    for by_signal in [true, false] {
        let Some(home) = Home::open("on_lock = \"revoke\"", "") else { return };
        let id = home.watched();
        let mut holder = home.house.client();
        holder.call("session.hold", json!({"session": id})).unwrap();
        home.logind.hint("c1", false);
        home.remains_active(&id);
        if by_signal {
            home.logind.lock("c1");
        } else {
            home.logind.hint("c1", true);
        }
        home.ends(&id, "lock");
    }
}

#[test]
fn a_lock_keeps_where_nothing_is_said() {
    let Some(home) = Home::open("on_lock = \"revoke\"", "on_lock = \"keep\"") else { return };
    let id = home.watched();
    home.logind.lock("c1");
    home.logind.hint("c1", true);
    home.remains_active(&id);
}

#[test]
fn other_peoples_screens_and_terminals_say_nothing() {
    let stranger = Screen { uid: 4711, ..Screen::ours("c2") };
    let terminal = Screen { kind: "tty", ..Screen::ours("c3") };
    let greeter = Screen { class: "greeter", ..Screen::ours("c4") };
    let screens = [stranger, terminal, greeter, Screen::ours("c5")];
    let Some(home) = Home::with("on_lock = \"revoke\"", "", &screens) else { return };
    let id = home.watched();
    for screen in ["c2", "c3", "c4", "gone"] {
        home.logind.lock(screen);
        if screen != "gone" {
            home.logind.hint(screen, true);
        }
    }
    home.remains_active(&id);
    home.logind.hint("c5", true);
    home.ends(&id, "lock");
}

#[test]
fn only_the_change_to_locked_counts() {
    let locked = Screen { locked: true, ..Screen::ours("c1") };
    let Some(home) = Home::with("on_lock = \"revoke\"", "", &[locked]) else { return };
    let id = home.watched();
    home.remains_active(&id);
    home.logind.hint("c1", true);
    home.logind.hint("c1", false);
    home.remains_active(&id);
    home.logind.hint("c1", true);
    home.ends(&id, "lock");
}

#[test]
fn a_forged_word_is_not_heard() {
    let Some(home) = Home::open("on_lock = \"revoke\"", "") else { return };
    let id = home.watched();
    // Somebody else on the bus says what logind says.
    let stranger = zbus::blocking::connection::Builder::address(home.bus.address().as_str())
        .and_then(zbus::blocking::connection::Builder::build)
        .unwrap();
    let manager = "org.freedesktop.login1.Manager";
    let path = "/org/freedesktop/login1";
    for listener in home.logind.listeners() {
        let to = Some(listener.as_str());
        stranger.emit_signal(to, path, manager, "PrepareForShutdown", &true).unwrap();
        let (session, screen) = ("org.freedesktop.login1.Session", format!("{path}/session/c1"));
        stranger.emit_signal(to, screen, session, "Lock", &()).unwrap();
    }
    home.remains_active(&id);
}

#[test]
fn a_bus_that_comes_late_is_found() {
    let mut house = House::build(Plan::default());
    house.start();
    let (id, _) = house.add_one();
    if !is_installed("dbus-daemon") {
        return;
    }
    let bus = Bus::start(&house.path("system"));
    sleep(NEVER);
    let logind = FakeLogind::start(&bus, &[]);
    let home = Home { logind, bus, house };
    home.eventually_held("shutdown", 1);
    home.logind.prepare_for_shutdown(true);
    home.ends(&id, "shutdown");
}

#[test]
fn a_logind_that_restarts_is_asked_anew() {
    let Some(mut home) = Home::open("on_lock = \"revoke\"", "") else { return };
    let id = home.watched();
    for _ in 0..2 {
        home.logind.stop();
        sleep(NEVER);
        home.logind = FakeLogind::start(&home.bus, &[Screen::ours("c1")]);
        home.eventually_held("shutdown", 1);
    }
    home.remains_active(&id);
    // Locked while nobody could say so.
    home.logind.stop();
    home.logind = FakeLogind::start(&home.bus, &[Screen { locked: true, ..Screen::ours("c1") }]);
    home.ends(&id, "lock");
}

#[test]
fn a_bus_that_restarts_is_found_again() {
    let Some(mut home) = Home::open("on_lock = \"revoke\"", "") else { return };
    let id = home.watched();
    home.bus.stop();
    sleep(NEVER);
    home.remains_active(&id);
    home.bus.restart();
    home.logind = FakeLogind::start(&home.bus, &[Screen { locked: true, ..Screen::ours("c1") }]);
    home.ends(&id, "lock");
}

#[test]
fn a_shutdown_that_was_announced_before_counts() {
    let Some(home) = Home::open("", "") else { return };
    home.logind.prepare_for_shutdown(true);
    let (id, _) = home.house.add_one();
    home.ends(&id, "shutdown");
}

#[test]
fn a_logind_that_does_not_answer_hangs_nobody() {
    let Some(home) = Home::open("on_lock = \"revoke\"\non_suspend = \"revoke\"", "") else {
        return;
    };
    let frozen = home.logind.freeze();
    serves_at_once(&home.house);
    // It is heard all the same.
    let (id, _) = home.house.add_one();
    eventually("it to be listened to", || (!home.logind.listeners().is_empty()).then_some(()));
    sleep(NEVER);
    home.logind.prepare_for_shutdown(true);
    home.ends(&id, "shutdown");
    drop(frozen);
}

#[test]
fn a_bus_that_does_not_answer_hangs_nobody() {
    let Some(mut home) = Home::open("on_lock = \"revoke\"", "") else { return };
    home.bus.freeze();
    serves_at_once(&home.house);
    let (ended, took) = timed(|| home.house.terminate());
    assert!(took < AT_ONCE, "{took:?}");
    assert_eq!(ended.code(), Some(0));
    home.house.start();
    serves_at_once(&home.house);
    home.bus.thaw();
}

/// Its queue is full: whoever connects waits without a limit.
#[test]
fn a_bus_that_takes_nobody_hangs_nobody() {
    let plan = Plan { top: "on_lock = \"revoke\"".to_owned(), ..Plan::default() };
    let mut house = House::build(plan);
    let path = house.path("system").join("bus");
    let bus = rustix::net::socket(AddressFamily::UNIX, SocketType::STREAM, None).unwrap();
    rustix::net::bind(&bus, &SocketAddrUnix::new(&path).unwrap()).unwrap();
    rustix::net::listen(&bus, 0).unwrap();
    let _queued = UnixStream::connect(&path).unwrap();
    house.start();
    serves_at_once(&house);
    let (ended, took) = timed(|| house.terminate());
    assert!(took < AT_ONCE, "{took:?}");
    assert_eq!(ended.code(), Some(0));
}

fn serves_at_once(house: &House) {
    for _ in 0..3 {
        let ((id, token), took) = timed(|| house.add_one());
        assert!(took < AT_ONCE, "add: {took:?}");
        let (lent, took) = timed(|| house.token(&id));
        assert!(took < AT_ONCE, "token: {took:?}");
        assert_eq!(lent, token);
        let (item, took) = timed(|| house.logout(&id, "5s"));
        assert!(took < AT_ONCE, "logout: {took:?}");
        assert_eq!(item["outcome"], "revoked", "{item}");
    }
}

#[test]
fn a_logind_that_refuses_inhibitors_is_heard() {
    let Some(home) = Home::open("", "") else { return };
    home.logind.refuse_inhibitors(true);
    let (id, _) = home.house.add_one();
    eventually("it to be listened to", || (!home.logind.listeners().is_empty()).then_some(()));
    sleep(NEVER);
    home.logind.prepare_for_shutdown(true);
    home.ends(&id, "shutdown");
}

#[test]
fn a_daemon_leaves_the_bus_when_nothing_is_left_and_leaks_nothing() {
    if !is_root() {
        return skipped("only root may count the daemon's descriptors");
    }
    let Some(home) = Home::open("on_lock = \"revoke\"\non_suspend = \"revoke\"", "") else {
        return;
    };
    let descriptors =
        || std::fs::read_dir(format!("/proc/{}/fd", home.house.pid())).unwrap().count();
    let mut before = None;
    for _ in 0..5 {
        let id = home.watched();
        home.eventually_held("sleep", 1);
        home.house.logout(&id, "5s");
        eventually("the bus to be left", || home.logind.listeners().is_empty().then_some(()));
        sleep(Duration::from_millis(100));
        // The first round opens what stays open: the way to the server, the runtime's own.
        let now = descriptors();
        assert!(now <= *before.get_or_insert(now), "{now} descriptors, {before:?} before");
    }
}
