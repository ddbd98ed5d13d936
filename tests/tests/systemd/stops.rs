//! However it ends, what was acknowledged is revoked, now or at the next start.

use std::time::Duration;

use securid_simulator::Fault;

use securid_tests::{Machine, PATIENCE, Plan, USER, eventually, timed};

#[test]
fn power_off_with_gnome_keyring() {
    power_off("secret-service", |_| {});
}

#[test]
fn power_off_with_a_sealed_file() {
    power_off("sealed-file", |_| {});
}

/// A desktop may end its keyring before anything else; the daemon has the tokens in memory.
#[test]
fn power_off_after_the_keyring() {
    power_off("secret-service", |machine| {
        machine.user_ok("systemctl --user mask --runtime --now gnome-keyring-daemon.service");
    });
}

fn power_off(keyring: &'static str, before: impl Fn(&Machine)) {
    let Some(mut machine) = Machine::boot(Plan { keyring, ..Plan::default() }) else { return };
    machine.enable_units();
    for _ in 0..5 {
        machine.login();
    }
    before(&machine);
    let took = machine.power_off();
    assert_eq!(machine.simulator.truth().alive(), [""; 0]);
    assert!(took < Duration::from_secs(15), "{took:?}");

    machine.boot_again();
    eventually("what the history knows", || {
        let history = machine.ctl("history");
        let lines = history["sessions"].as_array()?;
        let dead = lines.iter().filter(|line| line["reason"] == "shutdown").count();
        (dead == 5).then_some(())
    });
    assert_eq!(machine.ctl("list")["sessions"].as_array().unwrap().len(), 0);
}

#[test]
fn a_stop_revokes_everything_and_is_a_clean_end() {
    let plan = Plan { keyring: "sealed-file", ..Plan::default() };
    let Some(machine) = Machine::boot(plan) else { return };
    machine.enable_units();
    machine.login();
    machine.user_ok("systemctl --user stop securid-sessiond.service");
    assert_eq!(machine.simulator.truth().alive(), [""; 0]);
    assert_eq!(result(&machine), "success");
}

/// The daemon asks for the time that its config gives it.
#[test]
fn a_slow_server_gets_longer_than_the_unit_says() {
    let plan = Plan {
        keyring: "sealed-file",
        latency: Duration::from_secs(7),
        revocation: vec![("attempt_timeout", "9s"), ("shutdown_grace", "15s")],
        ..Plan::default()
    };
    let Some(machine) = Machine::boot(plan) else { return };
    machine.enable_units();
    machine.drop_in("securid-sessiond.service", "[Service]\nTimeoutStopSec=2s\n");
    machine.add();
    let ((), took) =
        timed(|| drop(machine.user_ok("systemctl --user stop securid-sessiond.service")));
    assert!(took > Duration::from_secs(7), "{took:?}");
    assert_eq!(machine.simulator.truth().alive(), [""; 0]);
    assert_eq!(result(&machine), "success");
    assert_eq!(machine.user("securid-ctl list --json").stdout.trim_ascii(), b"{\"sessions\":[]}");
}

#[test]
fn a_dead_server_holds_no_power_off_up() {
    let plan = Plan {
        keyring: "sealed-file",
        revocation: vec![("shutdown_grace", "2s")],
        ..Plan::default()
    };
    let Some(mut machine) = Machine::boot(plan) else { return };
    machine.enable_units();
    let token = machine.add();
    machine.simulator.set_fault(Some(Fault::Down));
    let took = machine.power_off();
    assert!(took < Duration::from_secs(10), "{took:?}");
    assert_eq!(machine.simulator.truth().alive(), [token.as_str()]);

    machine.simulator.set_fault(None);
    machine.boot_again();
    // Nobody logs in and nobody asks: the service is started with the user's manager.
    machine.eventually_dead(&token);
    let history = machine.ctl("history");
    assert_eq!(history["sessions"][0]["outcome"], "revoked", "{history}");
}

#[test]
fn killed_it_is_started_again_and_goes_on() {
    let plan = Plan { keyring: "sealed-file", ..Plan::default() };
    let Some(machine) = Machine::boot(plan) else { return };
    machine.enable_units();
    let token = machine.add();
    // Often enough for any limit to starts.
    for _ in 0..6 {
        let pid = machine.daemon().expect("it runs");
        machine.root_ok(&format!("kill -9 {pid}"));
        securid_tests::within(PATIENCE, "another daemon", || {
            machine.daemon().filter(|another| *another != pid)
        });
    }
    let session = machine.ctl("list")["sessions"][0].clone();
    assert_eq!(session["state"], "active");
    assert_eq!(machine.simulator.truth().alive(), [token.as_str()]);
    machine.user_ok("securid-ctl logout");
    assert_eq!(machine.simulator.truth().alive(), [""; 0]);
}

/// His manager goes on, and the daemon with it; his sessions do not.
#[test]
fn leaving_the_desktop_logs_a_lingering_user_out() {
    let plan = Plan { keyring: "secret-service", ..Plan::default() };
    let Some(machine) = Machine::boot(plan) else { return };
    machine.enable_units();
    machine.open_desktop();
    let token = machine.add();
    let daemon = machine.daemon();
    machine.close_desktop();
    machine.eventually_dead(&token);
    assert_eq!(machine.daemon(), daemon);
    assert!(daemon.is_some());
    let history = machine.ctl("history");
    assert_eq!(history["sessions"][0]["reason"], "request", "{history}");
}

/// The machine goes down with somebody at its screen.
#[test]
fn power_off_at_an_open_desktop() {
    let plan = Plan { keyring: "secret-service", ..Plan::default() };
    let Some(mut machine) = Machine::boot(plan) else { return };
    machine.enable_units();
    machine.open_desktop();
    machine.login();
    machine.power_off();
    assert_eq!(machine.simulator.truth().alive(), [""; 0]);
}

/// His manager goes with his last session, and all that it runs.
#[test]
fn whoever_does_not_linger_is_logged_out_with_his_last_session() {
    let plan = Plan { keyring: "sealed-file", ..Plan::default() };
    let Some(machine) = Machine::boot(plan) else { return };
    machine.write("/etc/systemd/logind.conf.d/soon.conf", "[Login]\nUserStopDelaySec=100ms\n");
    machine.root_ok("systemctl restart systemd-logind.service");
    machine.enable_units();
    machine.open_desktop();
    machine.root_ok(&format!("loginctl disable-linger {USER}"));
    let token = machine.add();
    machine.root_ok("systemctl stop test-desktop.service");
    machine.eventually_dead(&token);
    eventually("the end of his manager", || {
        let state = machine.root(&format!("systemctl is-active user@{}.service", machine.uid()));
        (!state.status.success()).then_some(())
    });
}

/// With a bad config it revokes what there is, however long that takes, and is not started again.
#[test]
fn a_bad_config_is_drained_to_the_end() {
    let plan = Plan { keyring: "sealed-file", ..Plan::default() };
    let Some(machine) = Machine::boot(plan) else { return };
    machine.enable_units();
    machine.drop_in("securid-sessiond.service", "[Service]\nTimeoutStartSec=2s\n");
    let token = machine.add();
    machine.user_ok("securid-ctl stop --keep");
    machine.simulator.set_fault_for("logoutUser", Some(Fault::Status(503)));
    machine.change_config("[revocation]", "surprise = 1\n[revocation]");
    machine.user_ok("systemctl --user start securid-sessiond.service");
    let pid = machine.daemon();
    std::thread::sleep(Duration::from_secs(4));
    assert_eq!(machine.daemon(), pid, "it was given up at its start");
    assert!(pid.is_some());

    machine.simulator.set_fault_for("logoutUser", None);
    machine.eventually_dead(&token);
    eventually("its end", || machine.daemon().is_none().then_some(()));
    let shown = machine.user_ok("systemctl --user show -P ExecMainStatus securid-sessiond.service");
    assert_eq!((shown.trim(), result(&machine).as_str()), ("78", "exit-code"));
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(machine.daemon(), None);
}

/// What systemd thinks of its end.
fn result(machine: &Machine) -> String {
    let shown = machine.user_ok("systemctl --user show -P Result securid-sessiond.service");
    shown.trim().to_owned()
}
