//! The operator of a server: a job at night, of an account that nobody logs in to, and a server that is down.

use securid_simulator::Fault;
use securid_tests::{Machine, PASSWORD, PATIENCE, Plan, eventually, is_installed};

use super::steps::root;

const CONFIG: &str = r#"
[revocation]
shutdown_grace = "3s"
[instances.prod]
url = "URL"
username = "alice"
ca_file = "/etc/securid/ca.pem"
"#;

/// The job: several steps, one session. It does not begin what it could not end.
const REPORT: &str = r#"#!/bin/sh
set -e
securid-ctl check --remaining "${NEEDS:-10m}" || { echo "too little is left of $SECURID_SESSION" >&2; exit 3; }
ask() {
    printf 'Authorization: Bearer %s' "$SECURID_TOKEN" |
        curl -sS --fail --cacert /etc/securid/ca.pem -H @- -d '' "$SECURID_URL?cmd=$1&format=json"
}
ask findUsers
# A step that is a program of its own finds the session as well.
SECURID_TOKEN=$(securid-ctl token) && ask findUsers
"#;

/// The nightly timer is due at once.
const DUE: &str = "[Timer]\nOnCalendar=\nOnActiveSec=1s\nRandomizedDelaySec=0\nAccuracySec=1ms\n";

#[test]
fn the_operator() {
    if !["curl", "jq"].into_iter().all(is_installed) {
        return;
    }
    let Some(mut machine) = Machine::boot(Plan { keyring: "keyutils", ..Plan::default() }) else {
        return;
    };
    set_up(&machine);
    a_good_night(&machine);
    a_job_that_would_take_too_long(&machine);
    a_night_without_server(&mut machine);
    assert_eq!(machine.simulator.truth().alive(), [""; 0]);
}

/// As `docs/operations.md` has it, "Unattended jobs".
fn set_up(machine: &Machine) {
    machine.write("/etc/securid/config.toml", &CONFIG.replace("URL", machine.simulator.url()));
    root(machine, "securid-sessiond --check-config", 0, &["the config is good"]);
    machine.write("/usr/local/bin/report", REPORT);
    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/../systemd/examples");
    for unit in ["securid-report.service", "securid-report.timer"] {
        let text = std::fs::read_to_string(format!("{examples}/{unit}")).unwrap();
        machine.write(&format!("/root/{unit}"), &text);
    }
    for step in [
        "chmod 755 /usr/local/bin/report",
        "mkdir -p -m 700 /etc/credstore.encrypted",
        "securid-sessiond --make-key - | systemd-creds encrypt --with-key=host --name=securid-store-key \
         - /etc/credstore.encrypted/securid-store-key",
        "useradd --system --no-create-home --shell /usr/sbin/nologin report",
        "systemctl enable --now securid-sessiond@$(id -u report).service",
        &format!(
            "printf %s '{PASSWORD}' | systemd-creds encrypt --with-key=host --name=securid-password \
             - /etc/credstore.encrypted/securid-report-password"
        ),
        "cd /root && cp securid-report.service securid-report.timer /etc/systemd/system/",
        "systemctl daemon-reload && systemctl enable --now securid-report.timer",
    ] {
        root(machine, step, 0, &[]);
    }
    root(
        machine,
        "systemctl list-timers --no-pager securid-report.timer",
        0,
        &["securid-report.service"],
    );
    root(machine, "runuser -u report -- securid-ctl status", 0, &[]);
}

fn a_good_night(machine: &Machine) {
    machine.write("/etc/systemd/system/securid-report.timer.d/due.conf", DUE);
    root(machine, "systemctl daemon-reload && systemctl restart securid-report.timer", 0, &[]);
    eventually("the end of the job", || {
        (machine.simulator.truth().tokens.len() == 1).then_some(())
    });
    assert!(machine.simulator.wait_until(PATIENCE, |truth| truth.alive().is_empty()));
    eventually("systemd to know of it", || {
        (show(machine, "ActiveState") == "inactive").then_some(())
    });
    assert_eq!(
        (show(machine, "Result"), show(machine, "ExecMainStatus")),
        ("success".into(), "0".into())
    );
    root(machine, "journalctl -q --no-pager -o cat -u securid-report.service", 0, &["alice"]);
    assert_eq!(machine.simulator.truth().tokens[0].other_requests, 2);
    root(
        machine,
        "rm -r /etc/systemd/system/securid-report.timer.d && systemctl daemon-reload",
        0,
        &[],
    );
}

fn a_job_that_would_take_too_long(machine: &Machine) {
    let drop_in = "/etc/systemd/system/securid-report.service.d/long.conf";
    machine.write(drop_in, "[Service]\nEnvironment=NEEDS=9h\n");
    root(machine, "systemctl daemon-reload", 0, &[]);
    root(machine, "systemctl start securid-report.service", 1, &[]);
    root(
        machine,
        "journalctl -q --no-pager -o cat -u securid-report.service",
        0,
        &["too little is left of "],
    );
    let token = machine.simulator.truth().tokens[1].clone();
    assert_eq!((token.other_requests, token.alive), (0, false));
    root(machine, &format!("rm {drop_in} && systemctl daemon-reload"), 0, &[]);
}

/// It goes while the job runs, is not there for the next one, and is back the next morning. The operator's
/// own machine is started anew meanwhile.
fn a_night_without_server(machine: &mut Machine) {
    machine.simulator.set_fault_for("logoutUser", Some(Fault::Status(503)));
    // Done, though the token is not dead yet: `SuccessExitStatus=75`.
    root(machine, "systemctl start securid-report.service", 0, &[]);
    assert_eq!(show(machine, "ExecMainStatus"), "75");
    let journal = "journalctl -q --no-pager -o cat -u securid-report.service";
    root(machine, journal, 0, &["is not confirmed dead yet"]);
    machine.simulator.set_fault(Some(Fault::Down));
    root(machine, "systemctl start securid-report.service", 1, &[]);
    assert_eq!(show(machine, "ExecMainStatus"), "125");
    root(machine, journal, 0, &["refuses connections"]);
    root(machine, "runuser -u report -- securid-ctl list", 0, &["revoking"]);
    root(
        machine,
        "runuser -u report -- securid-ctl history --unconfirmed",
        75,
        &["1 more under revocation"],
    );

    machine.power_off();
    assert_eq!(machine.simulator.truth().alive().len(), 1);
    machine.boot_again();
    machine.simulator.set_fault(None);
    machine.simulator.set_fault_for("logoutUser", None);
    assert!(machine.simulator.wait_until(PATIENCE, |truth| truth.alive().is_empty()));
    eventually("the server's word", || {
        let said = machine.root("runuser -u report -- securid-ctl history --unconfirmed");
        said.status.success().then_some(())
    });
    root(machine, "systemctl start securid-report.service", 0, &[]);
    let count =
        "runuser -u report -- securid-ctl history --json | jq -c '[.sessions[] | .outcome]'";
    assert_eq!(root(machine, count, 0, &[]).trim(), r#"["revoked","revoked","revoked","revoked"]"#);
    root(machine, "runuser -u report -- securid-ctl status", 0, &[]);
}

fn show(machine: &Machine, property: &str) -> String {
    let shown = machine.root_ok(&format!("systemctl show -P {property} securid-report.service"));
    shown.trim().to_owned()
}
