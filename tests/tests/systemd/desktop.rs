//! A real logind: its inhibitors, its locks, its sleep.

use std::time::Duration;

use securid_simulator::Fault;
use securid_tests::{Machine, Plan, eventually};

fn boot(top: &str, instance: &str) -> Option<Machine> {
    let machine = Machine::boot(Plan {
        keyring: "sealed-file",
        top: top.to_owned(),
        instance: instance.to_owned(),
        // A server that takes its time is not one that does not answer, on a loaded machine either.
        revocation: vec![("attempt_timeout", "10s")],
        ..Plan::default()
    })?;
    machine.enable_units();
    Some(machine)
}

/// What our daemon keeps the machine from doing at once.
fn inhibited(machine: &Machine) -> Vec<String> {
    let listed = machine.root_ok("systemd-inhibit --list --no-pager --no-legend");
    let ours = listed.lines().filter(|line| line.contains("securid-sessiond"));
    let kind = |line: &str, kind: &str| line.split_whitespace().any(|word| word == kind);
    let kinds = ["shutdown", "sleep"];
    ours.flat_map(|line| {
        assert!(kind(line, "delay"), "{line}");
        kinds.into_iter().filter(|what| kind(line, what)).map(str::to_owned).collect::<Vec<_>>()
    })
    .collect()
}

fn eventually_inhibited(machine: &Machine, kinds: &[&str]) {
    eventually("the inhibitors", || {
        let mut held = inhibited(machine);
        held.sort();
        (held == kinds).then_some(())
    });
}

/// Why a session ended, once it has.
fn ended(machine: &Machine, id: &str) -> String {
    eventually("the session in the history", || {
        let history = machine.ctl("history");
        let lines = history["sessions"].as_array().expect("a list").clone();
        let line = lines.into_iter().find(|line| line["id"] == *id)?;
        assert_eq!(line["outcome"], "revoked");
        Some(line["reason"].as_str().expect("it has one").to_owned())
    })
}

#[test]
fn a_locked_screen() {
    let Some(machine) = boot("", "on_lock = \"revoke\"") else { return };
    let session = machine.open_desktop();
    let first = machine.login();
    eventually_inhibited(&machine, &["shutdown"]);
    machine.root_ok(&format!("loginctl lock-session {session}"));
    assert_eq!(ended(&machine, &first), "lock");
    eventually_inhibited(&machine, &[]);
    // As GNOME does it, which tells logind and waits for no word of it.
    let second = machine.login();
    eventually_inhibited(&machine, &["shutdown"]);
    let logind = "org.freedesktop.login1 /org/freedesktop/login1";
    let path = machine.root_ok(&format!(
        "busctl call {logind} org.freedesktop.login1.Manager GetSession s {session}"
    ));
    let path = path.split('"').nth(1).expect("it answers with a path");
    machine.user_ok(&format!(
        "busctl call org.freedesktop.login1 {path} org.freedesktop.login1.Session \
         SetLockedHint b true"
    ));
    assert_eq!(ended(&machine, &second), "lock");
    assert_eq!(machine.simulator.truth().alive(), [""; 0]);
}

#[test]
fn sleep() {
    let Some(machine) = boot("", "on_suspend = \"revoke\"") else { return };
    sleeps_by(&machine, "/bin/sleep 1");
    let first = machine.login();
    eventually_inhibited(&machine, &["shutdown", "sleep"]);
    machine.simulator.set_latency(Duration::from_millis(700));
    machine.root_ok("systemctl suspend");
    assert_eq!(ended(&machine, &first), "suspend");
    eventually_inhibited(&machine, &[]);
    machine.simulator.set_latency(Duration::ZERO);
    // It goes on after waking.
    await_waking(&machine);
    let second = machine.login();
    eventually_inhibited(&machine, &["shutdown", "sleep"]);
    assert_eq!(machine.ctl("list")["sessions"][0]["id"], second.as_str());
}

#[test]
fn what_went_idle_asleep_is_not_lent_on_waking() {
    let Some(machine) = boot("idle_timeout = \"3s\"", "") else { return };
    // As long as the machine sleeps, the daemon does nothing; meanwhile its network goes.
    let daemon = "$(systemctl show -P MainPID --user -M tu@ securid-sessiond.service)";
    let asleep = format!("kill -STOP {daemon}; sleep 4; kill -CONT {daemon}");
    sleeps_by(&machine, &format!("/bin/sh -c '{}'", asleep.replace('$', "$$")));
    let id = machine.login();
    machine.simulator.set_fault(Some(Fault::Status(503)));
    machine.root_ok("systemctl suspend");
    await_waking(&machine);
    let refused = machine.user("securid-ctl token");
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    let session = &machine.ctl("list")["sessions"][0];
    assert_eq!(session["revocation"]["reason"], "idle", "{session}");
    machine.simulator.set_fault(None);
    assert_eq!(ended(&machine, &id), "idle");
}

/// Makes this the machine's sleep, which has none of its own.
fn sleeps_by(machine: &Machine, command: &str) {
    machine.write(
        "/etc/systemd/system/systemd-suspend.service.d/of-the-test.conf",
        &format!("[Service]\nExecStart=\nExecStart={command}\n"),
    );
    machine.root_ok("systemctl daemon-reload");
}

fn await_waking(machine: &Machine) {
    let sleeping = "busctl get-property org.freedesktop.login1 /org/freedesktop/login1 \
                    org.freedesktop.login1.Manager PreparingForSleep";
    eventually("the machine to wake", || {
        (machine.root_ok(sleeping).trim() == "b false").then_some(())
    });
}

#[test]
fn power_off_waits_for_tokens_to_die_though_they_were_to_be_kept() {
    let Some(mut machine) = boot("on_exit = \"keep\"", "") else { return };
    assert_eq!(inhibited(&machine), [""; 0]);
    let id = machine.login();
    eventually_inhibited(&machine, &["shutdown"]);
    machine.simulator.set_latency(Duration::from_millis(800));
    machine.power_off();
    assert_eq!(machine.simulator.truth().alive(), [""; 0]);
    machine.simulator.set_latency(Duration::ZERO);
    machine.boot_again();
    assert_eq!(ended(&machine, &id), "shutdown");
    assert!(machine.journal().contains("the machine goes down"));
}
