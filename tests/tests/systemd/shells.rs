//! `securid-ctl logout --if-last-session` from the shells of real logins: the last one logs out, and
//! no other.

use std::fs;

use securid_tests::{Machine, Plan, eventually};

/// The hook that the project offers for it.
const HOOK: &str = include_str!("../../../hooks/bash_logout");

/// A login without a program in between, as of a container or with `machinectl shell`: the shell opens it.
const PAM: &str = "\
auth required pam_permit.so
account required pam_permit.so
session required pam_systemd.so class=user type=tty
";

/// A machine with a session to lose, the hook in place, and what it says in a file.
fn machine() -> Option<Machine> {
    let machine = Machine::boot(Plan { keyring: "sealed-file", ..Plan::default() })?;
    machine.write("/etc/pam.d/securid-shell", PAM);
    let hook = format!("exec >> /home/tu/said 2>&1\n{HOOK}");
    machine.write("/home/tu/.bash_logout", &hook);
    machine.root_ok("chown tu: /home/tu/.bash_logout");
    machine.enable_units();
    machine.login();
    Some(machine)
}

/// A shell that is its login's own; ends when [`end`] says so.
fn open_shell(machine: &Machine, name: &str) {
    let wait =
        format!("touch /tmp/{name}-up; until [ -e /tmp/{name}-end ]; do sleep 0.02; done; exit");
    open(machine, name, &format!("-p PAMName=securid-shell -p User=tu bash -lc '{wait}'"));
}

/// A shell of `login`, on a terminal.
fn open_console(machine: &Machine, name: &str) {
    let typed = format!(
        "echo touch /tmp/{name}-up; until [ -e /tmp/{name}-end ]; do sleep 0.02; done; echo exit; sleep 5"
    );
    let words = format!("sh -c '({typed}) | script -qec \"login -f tu\" /dev/null'");
    open(machine, name, &words);
}

fn open(machine: &Machine, name: &str, words: &str) {
    machine.root_ok(&format!("systemd-run --quiet --collect --unit=test-{name} {words}"));
    let up = machine.path(&format!("/tmp/{name}-up"));
    eventually("the shell", || up.exists().then_some(()));
}

/// Ends a shell, and waits until its hook has said something more than before.
fn end(machine: &Machine, name: &str) -> String {
    let before = said(machine).len();
    machine.root_ok(&format!("touch /tmp/{name}-end"));
    eventually("the hook", || {
        let said = said(machine);
        (said.len() > before && said.ends_with('\n')).then(|| said[before..].to_owned())
    })
}

fn said(machine: &Machine) -> String {
    fs::read_to_string(machine.path("/home/tu/said")).unwrap_or_default()
}

fn alive(machine: &Machine) -> usize {
    machine.simulator.truth().alive().len()
}

#[test]
fn of_several_shells_the_last_one_logs_out() {
    let Some(machine) = machine() else { return };
    open_shell(&machine, "first");
    open_console(&machine, "second");
    open_shell(&machine, "third");
    for name in ["first", "second"] {
        let said = end(&machine, name);
        assert!(said.contains("another login session"), "{name}: {said}");
        assert_eq!(alive(&machine), 1, "{name}");
    }
    let said = end(&machine, "third");
    assert!(said.contains("revoked"), "{said}");
    assert_eq!(alive(&machine), 0);

    machine.login();
    open_console(&machine, "fourth");
    let said = end(&machine, "fourth");
    assert!(said.contains("revoked"), "{said}");
    assert_eq!(alive(&machine), 0);
}

#[test]
fn shells_that_are_no_login_end_nothing() {
    let Some(machine) = machine() else { return };
    // A tab of a terminal that the user's manager runs.
    machine.user_ok("systemd-run --user --quiet --wait bash -lc 'exit'");
    assert!(said(&machine).contains("belongs to no login session"), "{}", said(&machine));
    // A shell in the shell of a login, and a pane of a terminal that outlives it.
    open(
        &machine,
        "inner",
        "-p PAMName=securid-shell -p User=tu bash -lc \
         'bash -lc exit; (setsid bash -lc exit); touch /tmp/inner-up; sleep 100; true'",
    );
    assert_eq!(
        said(&machine).matches("does not end with this shell").count(),
        2,
        "{}",
        said(&machine)
    );
    // A desktop goes on, and so does a session whose logind cannot be asked.
    machine.open_desktop();
    machine.root_ok("systemctl stop test-inner.service");
    open_shell(&machine, "beside");
    let said = end(&machine, "beside");
    assert!(said.contains("another login session"), "{said}");
    open_shell(&machine, "frozen");
    machine.root_ok("systemctl kill -s STOP systemd-logind.service");
    let said = end(&machine, "frozen");
    machine.root_ok("systemctl kill -s CONT systemd-logind.service");
    assert!(said.contains("cannot be told"), "{said}");
    assert_eq!(alive(&machine), 1);
}
