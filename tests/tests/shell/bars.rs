//! Who waits for many revocations sees how far they have come, and then nothing of that any more.

use std::fs;
use std::time::Duration;

use rustix::process::{Pid, kill_process};
use securid_tests::terminal::{Ended, Terminal};
use securid_tests::{House, Plan, Signal, eventually};

use super::at_home;

/// More than are revoked at once, so that there is something to see in between.
const SESSIONS: usize = 34;

/// With a server that takes so long, there is time to look.
const LATENCY: Duration = Duration::from_secs(1);

/// What is drawn while some are still to be revoked.
const BAR: &str = " of 34 [";

fn plan() -> Plan {
    Plan {
        latency: LATENCY,
        revocation: vec![("attempt_timeout", "10s"), ("shutdown_grace", "20s")],
        log: "info",
        ..Plan::default()
    }
}

fn terminal(house: &House) -> Option<Terminal> {
    let terminal = house.terminal()?;
    let _ = terminal.run(&at_home(house));
    Some(terminal)
}

/// What a command that has shown a bar leaves on the screen.
fn left_behind(terminal: &Terminal, command: &str) -> Ended {
    terminal.begin(&format!("kept {command}"));
    terminal.wait_for(BAR);
    let ended = terminal.end();
    assert!(!ended.text.contains(BAR) && !ended.text.contains("[="), "{}", ended.text);
    assert!(terminal.shows_cursor());
    ended
}

#[test]
fn a_logout_and_a_stop() {
    let mut house = House::open(plan());
    house.add_many(SESSIONS);
    let Some(terminal) = terminal(&house) else { return };
    let logout = left_behind(&terminal, "securid-ctl logout");
    assert_eq!(logout.status, 0, "{}", logout.text);
    // Nothing but the table, from its first line on.
    assert!(logout.text.starts_with("ID "), "{}", logout.text);
    assert_eq!(logout.text.lines().count(), SESSIONS + 1);

    house.add_many(SESSIONS);
    let stop = left_behind(&terminal, "securid-ctl stop");
    assert_eq!((stop.status, &*stop.text), (0, "stopped"));
    assert!(house.wait_for_end(Duration::from_secs(5)).success());
}

#[test]
fn control_c_leaves_a_clean_line() {
    let house = House::open(plan());
    house.add_many(SESSIONS);
    let Some(terminal) = terminal(&house) else { return };
    terminal.begin("kept securid-ctl logout");
    terminal.wait_for(BAR);
    terminal.key("C-c");
    let ended = terminal.end();
    assert_eq!(ended.status, 130, "{}", ended.text);
    assert!(matches!(&*ended.text, "" | "^C"), "{}", ended.text);
}

#[test]
fn so_does_a_signal_that_ends_it() {
    let house = House::open(plan());
    house.add_many(SESSIONS);
    let Some(terminal) = terminal(&house) else { return };
    for command in ["securid-ctl logout", "securid-sessiond --drain"] {
        terminal.begin(&format!("kept sh -c 'echo $$ >pid; exec {command}'"));
        terminal.wait_for(BAR);
        let pid = fs::read_to_string(house.path("pid")).unwrap().trim().parse().unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), Signal::TERM).unwrap();
        let ended = terminal.end();
        assert_eq!(ended.status, 128 + 15, "{command}: {}", ended.text);
        assert!(matches!(&*ended.text, "" | "Terminated"), "{command}: {}", ended.text);
    }
}

/// Nothing is drawn yet: the daemon that is asked does not answer.
#[test]
fn control_c_ends_a_drain_before_there_is_a_bar() {
    let house = House::open(plan());
    house.add_one();
    let Some(terminal) = terminal(&house) else { return };
    house.signal(Signal::STOP);
    terminal.begin("kept sh -c 'echo $$ >pid; exec securid-sessiond --drain'");
    eventually("it to catch signals", || {
        let pid = fs::read_to_string(house.path("pid")).ok()?;
        let status = fs::read_to_string(format!("/proc/{}/status", pid.trim())).ok()?;
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"))?;
        let caught = u64::from_str_radix(caught.trim(), 16).ok()?;
        (caught & 1 << (Signal::INT.as_raw() - 1) != 0).then_some(())
    });
    terminal.key("C-c");
    let ended = terminal.end();
    house.signal(Signal::CONT);
    assert_eq!(ended.status, 130, "{}", ended.text);
}

#[test]
fn a_drain_with_its_log_above() {
    let (house, _) = House::left_alone(plan(), SESSIONS);
    let Some(terminal) = terminal(&house) else { return };
    let drain = left_behind(&terminal, "securid-sessiond --drain");
    assert_eq!(drain.status, 0, "{}", drain.text);
    // Each line of it is whole.
    assert!(drain.text.lines().all(|line| line.contains(" INFO ")), "{}", drain.text);
}

#[test]
fn nobody_sees_it_but_on_a_terminal_that_can_draw() {
    let house = House::open(plan());
    let Some(terminal) = terminal(&house) else { return };
    for command in [
        "securid-ctl logout 2>said",
        "TERM=dumb securid-ctl logout 2>&1 >/dev/null | tee said",
        "securid-ctl --json logout >/dev/null",
    ] {
        house.add_one();
        let ended = terminal.run(command);
        assert!(!ended.text.contains(" of 1"), "{}", ended.text);
        assert_eq!(fs::read_to_string(house.path("said")).unwrap(), "");
    }
}
