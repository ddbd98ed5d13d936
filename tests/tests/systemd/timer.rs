//! A job without a person, as `systemd/examples` and `docs/operations.md` have it: a timer, an account without
//! login, its password a credential, its tokens in a sealed file. The server is the judge.

use securid_simulator::Fault;
use securid_tests::{Machine, PASSWORD, PATIENCE, Plan, eventually, is_installed, within};

/// The account.
const ACCOUNT: &str = "report";

/// What the nightly timer becomes here.
const SOON: &str = "\
[Timer]
OnCalendar=
OnActiveSec=1s
RandomizedDelaySec=0
AccuracySec=1ms
";

/// The password elsewhere.
const OTHER: &str = "\
[Service]
LoadCredential=other:/etc/securid/password
ExecStart=
ExecStart=/usr/bin/securid-ctl exec --login --password-file %d/other prod -- /usr/local/bin/report
";

/// The most that `systemd-analyze security` may find: ten times its score.
const LIMIT: u32 = 20;

/// A machine with all of that; the job does these shell commands.
fn machine(password: &str, job: &str) -> Option<Machine> {
    // Without a Secret Service, and with `/etc/securid/ca.pem`.
    let machine = Machine::boot(Plan { keyring: "keyutils", ..Plan::default() })?;
    let url = machine.simulator.url();
    machine.write(
        "/etc/securid/config.toml",
        &format!(
            "keyring = \"sealed-file\"\nidle_timeout = \"1m\"\n\
             [revocation]\nretry_initial = \"100ms\"\nretry_max = \"500ms\"\n\
             [instances.prod]\nurl = \"{url}\"\nusername = \"alice\"\nca_file = \"/etc/securid/ca.pem\"\n"
        ),
    );
    machine.write("/usr/local/bin/report", &format!("#!/bin/sh\nset -e\n{job}\n"));
    for unit in ["securid-report.service", "securid-report.timer"] {
        let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../systemd/examples");
        let text = std::fs::read_to_string(format!("{example}/{unit}")).unwrap();
        machine.write(&format!("/etc/systemd/system/{unit}"), &text);
    }
    machine.write("/etc/systemd/system/securid-report.timer.d/soon.conf", SOON);
    let folder = "[Service]\nRuntimeDirectory=report\n";
    machine.write("/etc/systemd/system/securid-report.service.d/folder.conf", folder);
    machine.root_ok(&format!(
        "chmod 755 /usr/local/bin/report
         useradd --system --no-create-home --shell /usr/sbin/nologin {ACCOUNT}
         mkdir -p -m 700 /etc/credstore.encrypted && cd /etc/credstore.encrypted
         securid-sessiond --make-key - |
             systemd-creds encrypt --with-key=host --name=securid-store-key - securid-store-key
         printf %s '{password}' |
             systemd-creds encrypt --with-key=host --name=securid-password - securid-report-password
         systemctl daemon-reload
         systemctl enable --now securid-sessiond@$(id -u {ACCOUNT}).service"
    ));
    Some(machine)
}

/// Has the timer fire, and waits until the job has ended: what systemd thinks of it, and its exit status.
fn fired(machine: &Machine) -> (String, String) {
    machine.root_ok("systemctl enable --now securid-report.timer");
    within(PATIENCE, "the end of the job", || {
        let shown = show(machine, "ExecMainExitTimestampMonotonic");
        (shown != "0" && show(machine, "ActiveState") != "activating").then_some(())
    });
    (show(machine, "Result"), show(machine, "ExecMainStatus"))
}

fn show(machine: &Machine, property: &str) -> String {
    let shown = machine.root_ok(&format!("systemctl show -P {property} securid-report.service"));
    shown.trim().to_owned()
}

fn journal(machine: &Machine) -> String {
    machine.root_ok("journalctl --no-pager -q -o cat -u securid-report.service")
}

/// Waits until the job runs; its token.
fn running(machine: &Machine) -> String {
    machine.root_ok("systemctl enable --now securid-report.timer");
    eventually("the job", || machine.path("/run/report/begun").exists().then_some(()));
    machine.simulator.truth().tokens[0].token.clone()
}

/// Says that it runs, in the only folder that it may write to, and has no end.
const LONG: &str = "touch /run/report/begun; while :; do sleep 0.1; done";

#[test]
fn the_timer_s_job_uses_its_token_which_is_dead_afterwards() {
    if !is_installed("curl") {
        return;
    }
    let job = "printf 'Authorization: Bearer %s' \"$SECURID_TOKEN\" |
        curl -sS --fail --cacert /etc/securid/ca.pem -H @- -d '' \"$SECURID_URL?cmd=findUsers&format=json\"";
    let Some(machine) = machine(PASSWORD, job) else { return };
    assert_eq!(fired(&machine), ("success".to_owned(), "0".to_owned()), "{}", journal(&machine));
    let truth = machine.simulator.truth();
    assert_eq!((truth.tokens.len(), truth.tokens[0].other_requests), (1, 1), "{truth:?}");
    assert_eq!(truth.alive(), [""; 0]);
    let said = journal(&machine);
    assert!(said.contains("alice"), "what the server told the job: {said}");
    assert!(!said.contains(PASSWORD) && !said.contains(&truth.tokens[0].token), "{said}");
}

#[test]
fn a_server_that_is_down_in_the_end_fails_no_job() {
    let Some(machine) = machine(PASSWORD, "true") else { return };
    machine.simulator.set_fault_for("logoutUser", Some(Fault::Status(503)));
    assert_eq!(fired(&machine), ("success".to_owned(), "75".to_owned()), "{}", journal(&machine));
    assert_eq!(machine.simulator.truth().alive().len(), 1);
    assert!(journal(&machine).contains("is not confirmed dead yet"), "{}", journal(&machine));
    let listed = machine.root_ok(&format!("runuser -u {ACCOUNT} -- securid-ctl list"));
    assert!(listed.contains("revoking"), "{listed}");
    machine.simulator.set_fault_for("logoutUser", None);
    assert!(machine.simulator.wait_until(PATIENCE, |truth| truth.alive().is_empty()));
}

#[test]
fn a_wrong_password_fails_the_job_in_words() {
    let Some(machine) = machine("wrong horse", "true") else { return };
    assert_eq!(fired(&machine), ("exit-code".to_owned(), "125".to_owned()));
    let said = journal(&machine);
    assert!(said.contains("securid-ctl: ") && said.contains("refused"), "{said}");
    assert!(!said.contains("wrong horse"), "{said}");
    assert_eq!(machine.simulator.truth().logins_refused, 1, "and it is not tried again");

    // Another credential, of a file that is root's.
    machine.write("/etc/securid/password", &format!("{PASSWORD}\n"));
    machine.write("/etc/systemd/system/securid-report.service.d/other.conf", OTHER);
    machine.root_ok("chmod 600 /etc/securid/password && systemctl daemon-reload");
    machine.root_ok("systemctl start securid-report.service");
    let truth = machine.simulator.truth();
    assert_eq!((truth.logins_ok, truth.alive()), (1, vec![]));
}

#[test]
fn a_job_that_is_stopped_or_killed_leaves_no_token_behind() {
    let Some(machine) = machine(PASSWORD, LONG) else { return };
    let token = running(&machine);
    machine.root_ok("systemctl stop securid-report.service");
    assert!(!machine.simulator.truth().token(&token).unwrap().alive);

    machine.root_ok("systemctl start --no-block securid-report.service");
    eventually("the job", || machine.path("/run/report/begun").exists().then_some(()));
    assert_eq!(machine.simulator.truth().alive().len(), 1);
    machine.root_ok("systemctl kill --signal=KILL securid-report.service");
    assert!(machine.simulator.wait_until(PATIENCE, |truth| truth.alive().is_empty()));
}

/// What was held when the power went is revoked after the next boot, by the sealed file.
#[test]
fn a_power_cut_in_the_midst_of_it() {
    let Some(mut machine) = machine(PASSWORD, LONG) else { return };
    let token = running(&machine);
    machine.root_ok("systemctl disable securid-report.timer");
    machine.pull_the_plug();
    assert_eq!(machine.simulator.truth().alive(), [token.as_str()]);
    machine.boot_again();
    machine.eventually_dead(&token);
}

#[test]
fn systemd_has_nothing_to_say_against_the_examples() {
    let Some(machine) = machine(PASSWORD, "true") else { return };
    let units = "/etc/systemd/system/securid-report";
    let output = machine.root(&format!(
        "systemd-analyze verify --recursive-errors=no {units}.service {units}.timer && systemd-analyze security \
         --no-pager --offline=true --threshold={LIMIT} {units}.service"
    ));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !told.contains("securid"), "{output:?}");
}
