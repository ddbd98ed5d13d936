//! What the manager does for the daemon: starts it when it is asked for, and again when it hangs.

use securid_tests::{Machine, PATIENCE, Plan, within};

#[test]
fn the_first_list_starts_it() {
    let plan = Plan { keyring: "sealed-file", ..Plan::default() };
    let Some(machine) = Machine::boot(plan) else { return };
    machine.user_ok("systemctl --user start securid-sessiond.socket");
    assert_eq!(machine.daemon(), None);
    assert_eq!(machine.ctl("list")["sessions"].as_array().unwrap().len(), 0);
    assert!(machine.daemon().is_some());
    let socket = format!("/run/user/{}/securid", machine.uid());
    let modes = machine.user_ok(&format!("stat -c %a {socket} {socket}/sessiond.sock"));
    assert_eq!(modes, "700\n600\n");
}

/// A stop is not the end of it: whoever asks next finds it there.
#[test]
fn after_a_stop_its_socket_starts_it_again() {
    let plan = Plan { keyring: "sealed-file", ..Plan::default() };
    let Some(machine) = Machine::boot(plan) else { return };
    machine.enable_units();
    let first = machine.daemon();
    machine.user_ok("systemctl --user stop securid-sessiond.service");
    assert_eq!(machine.daemon(), None);
    machine.ctl("list");
    assert!(machine.daemon().is_some_and(|pid| Some(pid) != first));
}

#[test]
fn frozen_it_is_started_again() {
    let plan = Plan { keyring: "sealed-file", ..Plan::default() };
    let Some(machine) = Machine::boot(plan) else { return };
    machine.enable_units();
    machine.drop_in("securid-sessiond.service", "[Service]\nWatchdogSec=2s\n");
    let token = machine.add();
    machine.user_ok("securid-ctl stop --keep");
    machine.ctl("list");
    let pid = machine.daemon().expect("its socket has started it");

    // As long as it answers, nothing happens to it.
    std::thread::sleep(std::time::Duration::from_secs(4));
    assert_eq!(machine.daemon(), Some(pid));
    machine.root_ok(&format!("kill -STOP {pid}"));
    within(PATIENCE, "another daemon", || machine.daemon().filter(|another| *another != pid));
    assert_eq!(machine.ctl("list")["sessions"][0]["state"], "active");
    assert_eq!(machine.simulator.truth().alive(), [token.as_str()]);
}

/// An error of our own: the next one goes on, and the journal says what it was.
#[test]
fn after_a_panic_it_is_started_again() {
    let plan = Plan { keyring: "sealed-file", ..Plan::default() };
    let Some(machine) = Machine::boot(plan) else { return };
    machine.enable_units();
    let panics = "[Service]\nEnvironment=SECURID_PANIC_AT=use.asked#1\n";
    machine.drop_in("securid-sessiond.service", panics);
    let token = machine.add();
    machine.user_ok("securid-ctl stop --keep");
    machine.ctl("list");
    let pid = machine.daemon().expect("its socket has started it");
    let told = machine.user("securid-ctl token");
    assert_eq!(told.status.code(), Some(69), "{told:?}");
    within(PATIENCE, "another daemon", || machine.daemon().filter(|another| *another != pid));
    let restarts = machine.user_ok("systemctl --user show -P NRestarts securid-sessiond.service");
    assert_eq!(restarts.trim(), "1");
    let journal = machine.journal();
    assert!(journal.contains("internal error, please report it: panic at crates/"), "{journal}");
    assert_eq!(machine.ctl("list")["sessions"][0]["state"], "active");
    machine.user_ok("securid-ctl logout");
    assert!(!machine.simulator.truth().alive().contains(&token.as_str()));
}

/// As an upgrade of systemd does it: the daemon, its socket and its watchdog go over to the new manager.
#[test]
fn a_manager_that_is_replaced_goes_on_with_it() {
    let plan = Plan { keyring: "sealed-file", ..Plan::default() };
    let Some(machine) = Machine::boot(plan) else { return };
    machine.enable_units();
    machine.drop_in("securid-sessiond.service", "[Service]\nWatchdogSec=2s\n");
    machine.user_ok("securid-ctl stop");
    machine.ctl("list");
    let pid = machine.daemon().expect("its socket has started it");
    machine.user_ok("systemctl --user daemon-reexec");
    machine.add();
    std::thread::sleep(std::time::Duration::from_secs(4));
    assert_eq!(machine.daemon(), Some(pid));
    let said = machine.user_ok("systemctl --user show -P StatusText securid-sessiond.service");
    assert_eq!(said.trim(), "1 active");
    machine.user_ok("systemctl --user stop securid-sessiond.service");
    assert_eq!(machine.simulator.truth().alive(), [""; 0]);
    machine.ctl("list");
    assert!(machine.daemon().is_some_and(|another| another != pid));
}

/// The socket goes on, whatever becomes of the daemon: each client is told, and the first after the
/// config was mended is served.
#[test]
fn a_bad_config_is_told_to_whoever_asks() {
    let plan = Plan { keyring: "sealed-file", ..Plan::default() };
    let Some(machine) = Machine::boot(plan) else { return };
    machine.change_config("[revocation]", "[revokation]");
    machine.user_ok("systemctl --user start securid-sessiond.socket");
    for _ in 0..3 {
        let refused = machine.user("securid-ctl list");
        assert_eq!(refused.status.code(), Some(78), "{refused:?}");
        within(PATIENCE, "its end", || machine.daemon().is_none().then_some(()));
    }
    let restarts = machine.user_ok("systemctl --user show -P NRestarts securid-sessiond.service");
    assert_eq!(restarts.trim(), "0");
    machine.change_config("[revokation]", "[revocation]");
    machine.login();
}

/// `systemctl reload` says whether it worked, and a config that is refused changes nothing.
#[test]
fn a_reload_takes_a_good_config_and_refuses_a_bad_one() {
    let plan = Plan {
        keyring: "sealed-file",
        top: "idle_timeout = \"15m\"\n".to_owned(),
        ..Plan::default()
    };
    let Some(machine) = Machine::boot(plan) else { return };
    machine.enable_units();
    let token = machine.add();
    let pid = machine.daemon();
    machine.change_config("idle_timeout = \"15m\"", "idle_timeout = \"1s\"\nsurprise = 1");
    let refused = machine.user("systemctl --user reload securid-sessiond.service");
    assert!(!refused.status.success(), "{refused:?}");
    assert_eq!(machine.ctl("list")["sessions"][0]["state"], "active");

    machine.change_config("surprise = 1", "");
    machine.user_ok("systemctl --user reload securid-sessiond.service");
    machine.eventually_dead(&token);
    assert_eq!(machine.ctl("history")["sessions"][0]["reason"], "idle");
    assert_eq!(machine.daemon(), pid);
}

/// With `exit_when_empty` it goes when nothing is left to do, and is back for the next session.
#[test]
fn empty_it_leaves_and_comes_back() {
    let plan = Plan {
        keyring: "sealed-file",
        top: "exit_when_empty = \"1s\"\n".to_owned(),
        ..Plan::default()
    };
    let Some(machine) = Machine::boot(plan) else { return };
    machine.enable_units();
    let gone = || machine.daemon().is_none().then_some(());
    within(PATIENCE, "its leaving", gone);
    let token = machine.add();
    std::thread::sleep(std::time::Duration::from_secs(2));
    assert!(machine.daemon().is_some(), "there is a session");
    machine.user_ok("securid-ctl logout");
    assert!(!machine.simulator.truth().alive().contains(&token.as_str()));
    within(PATIENCE, "its leaving again", gone);
}
