//! An administrator on a laptop: a desktop with its keyring, a server that has an IPv6 address alone, behind a VPN
//! that drops, and the certificate of a private CA.

use std::time::Duration;

use securid_simulator::{NAME, Simulator};
use securid_tests::{Machine, Network, Plan, SITE, USER, eventually, is_installed, within};

use super::steps::{id, json, login, root, save, user};

/// How soon what waits is dead once the way is there: the network settles for 1 s, attempts are spread over 5 s.
const SECONDS: Duration = Duration::from_secs(15);

/// Whether the machine is asleep, or on its way there.
const ASLEEP: &str = "busctl get-property org.freedesktop.login1 /org/freedesktop/login1 \
                      org.freedesktop.login1.Manager PreparingForSleep";

#[test]
fn the_administrator() {
    if !is_installed("curl") {
        return;
    }
    let Some(mut machine) = Machine::boot(Plan { keyring: "secret-service", ..Plan::default() })
    else {
        return;
    };
    let network = Network::of(&machine);
    let server = network.start_server();
    let alive = || server.truth().alive().len();
    machine.root_ok(&format!(
        "rm -r /home/{USER}/.config; sed -i '/{NAME}/d' /etc/hosts; echo '{} {NAME}' >>/etc/hosts",
        SITE[1]
    ));
    save(&machine, "~/ca.pem", server.ca_pem());

    the_first_session(&machine, &network, &server);
    a_break(&machine, &server);
    the_vpn_drops(&machine, &network, &server);
    assert_eq!(alive(), 0);
    the_evening_without_vpn(&mut machine, &network, &server);
    assert_eq!(alive(), 0);
    the_laptop_is_given_back(&machine);
    assert_eq!(alive(), 0);
}

/// As the README has it.
fn the_first_session(machine: &Machine, network: &Network, server: &Simulator) {
    let url = server.url().replace("localhost", NAME);
    let setup = format!(
        "cd && securid-ctl setup --url {url} --instance prod --username alice --ca-file ca.pem"
    );
    user(machine, &setup, 0, &["wrote", "ran systemctl --user start"]);
    login(machine, "", 68, &["no way leads to"]);
    network.route(true);
    login(machine, "", 0, &["alice at prod"]);
    user(
        machine,
        "securid-ctl exec -- sh -c 'printf \"Authorization: Bearer %s\" \"$SECURID_TOKEN\" | curl -sS --fail \
         --cacert ~/ca.pem -H @- -d \"\" \"$SECURID_URL?cmd=findUsers&format=json\"'",
        0,
        &["alice"],
    );
    let token = user(machine, "securid-ctl token prod", 0, &[]);
    assert_eq!(server.truth().alive(), [token.trim()]);
    user(machine, "securid-ctl status", 0, &["secret-service", "last contact"]);
}

/// The screen is locked, and then the lid closed.
fn a_break(machine: &Machine, server: &Simulator) {
    user(
        machine,
        "cd ~/.config/securid && sed -i '1i on_lock = \"revoke\"\\non_suspend = \"revoke\"' config.toml && \
         printf '[revocation]\\nshutdown_grace = \"5s\"\\n' >>config.toml && securid-ctl reload",
        0,
        &["the config was read anew"],
    );
    // A machine of the test has no sleep of its own.
    let sleep = "[Service]\nExecStart=\nExecStart=/bin/sleep 1\n";
    machine.write("/etc/systemd/system/systemd-suspend.service.d/of-the-test.conf", sleep);
    root(machine, "systemctl daemon-reload", 0, &[]);
    let session = machine.open_desktop();
    for (away, reason) in [
        (format!("loginctl lock-session {session}"), "lock"),
        ("systemctl suspend".to_owned(), "suspend"),
    ] {
        eventually("the inhibitor", || {
            machine.root_ok("systemd-inhibit --list").contains("securid-sessiond").then_some(())
        });
        root(machine, &away, 0, &[]);
        within(SECONDS, "its end", || server.truth().alive().is_empty().then_some(()));
        eventually("its line", || (newest(machine)["reason"] == reason).then_some(()));
        eventually("the machine to be awake", || {
            (machine.root_ok(ASLEEP).trim() == "b false").then_some(())
        });
        login(machine, "", 0, &[]);
    }
}

fn the_vpn_drops(machine: &Machine, network: &Network, server: &Simulator) {
    network.route(false);
    user(machine, "securid-ctl logout", 75, &["no way leads to"]);
    user(machine, "securid-ctl list", 0, &["revoking", "no way leads to"]);
    user(machine, "securid-ctl token", 1, &[]);
    assert_eq!(server.truth().alive().len(), 1);
    network.route(true);
    within(SECONDS, "its end", || server.truth().alive().is_empty().then_some(()));
    eventually("its line", || (newest(machine)["outcome"] == "revoked").then_some(()));
    user(machine, "securid-ctl history --unconfirmed", 0, &[]);
}

fn the_evening_without_vpn(machine: &mut Machine, network: &Network, server: &Simulator) {
    let last = id(&login(machine, "--json", 0, &[]));
    network.route(false);
    machine.power_off();
    assert_eq!(server.truth().alive().len(), 1);
    machine.boot_again();
    assert_eq!(server.truth().alive().len(), 1);
    network.route(true);
    within(SECONDS, "its end", || server.truth().alive().is_empty().then_some(()));
    let line = eventually("its line", || Some(newest(machine)).filter(|line| line["id"] == *last));
    assert_eq!((&line["reason"], &line["outcome"]), (&"shutdown".into(), &"revoked".into()));
    user(machine, "securid-ctl status", 0, &[]);
}

fn the_laptop_is_given_back(machine: &Machine) {
    login(machine, "", 0, &[]);
    root(machine, "securid-ctl logout --all-users", 0, &["tu: 1 revoked"]);
    login(machine, "", 0, &[]);
    user(machine, "securid-ctl setup --remove", 0, &[]);
    user(machine, "systemctl --user is-enabled securid-sessiond.socket", 1, &["disabled"]);
}

/// The newest line of the history.
fn newest(machine: &Machine) -> serde_json::Value {
    json(&machine.user_ok("securid-ctl history --json"))["sessions"][0].clone()
}
