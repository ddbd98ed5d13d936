//! The security officer: sets what nobody loosens, logs out who is let go, and reports.

use std::collections::BTreeMap;
use std::fs;

use jiff::Timestamp;
use securid_simulator::Fault;
use securid_tests::{Machine, PASSWORD, Plan, USER, eventually, is_installed};

use super::steps::{id, json, login, other, root, save, user};

/// As in `docs/configuration.md`.
const COMPANY: &str = r#"
[enforced]
idle_timeout = "10m"
max_lifetime = "8h"
on_exit = "revoke"
on_lock = "revoke"
require_durable = true
audit = "journal"

[enforced.revocation]
shutdown_grace = "20s"

[enforced.instances.prod]
url = "URL"
ca_file = "/etc/securid/ca.pem"
idle_timeout = "5m"
"#;

/// What somebody writes who does not want to be logged out.
const LOOSE: &str = r#"
idle_timeout = "never"
max_lifetime = "never"
on_exit = "keep"
audit = "none"
[revocation]
shutdown_grace = "1ms"
[instances.prod]
username = "alice"
idle_timeout = "never"
max_lifetime = "never"
[instances.mine]
url = "URL"
username = "alice"
ca_file = "/etc/securid/ca.pem"
idle_timeout = "never"
on_lock = "keep"
"#;

#[test]
fn the_security_officer() {
    if !is_installed("jq") {
        return;
    }
    let Some(machine) = Machine::boot(Plan { keyring: "keyutils", ..Plan::default() }) else {
        return;
    };
    machine.root_ok(&format!("rm -r /home/{USER}/.config"));
    the_rules(&machine);
    the_one_who_does_not_like_them(&machine);
    the_one_who_is_let_go(&machine);
    the_report(&machine);
    assert_eq!(machine.simulator.truth().alive(), [""; 0]);
}

fn the_rules(machine: &Machine) {
    let company = COMPANY.replace("URL", machine.simulator.url());
    machine.write("/root/draft.toml", &company.replace("\"10m\"", "\"10 mins\""));
    let check = "cd /root && securid-sessiond --check-config draft.toml";
    root(machine, check, 78, &["draft.toml:3: enforced.idle_timeout"]);
    machine.write("/root/draft.toml", &company);
    root(machine, check, 0, &["the config is good"]);
    root(
        machine,
        "install -d -m 755 /etc/securid /etc/securid/config.d && install -m 644 /root/draft.toml /etc/securid/config.d/50-company.toml",
        0,
        &[],
    );
}

/// In every way that the documents know.
fn the_one_who_does_not_like_them(machine: &Machine) {
    user(machine, "securid-ctl setup", 0, &["made the key"]);
    login(machine, "--username alice", 0, &["alice at prod"]);

    let loose = LOOSE.replace("URL", machine.simulator.url());
    let config = format!("/home/{USER}/.config/securid/config.toml");
    let key = fs::read_to_string(machine.path(&config)).unwrap();
    save(machine, &config, &format!("{key}{loose}"));
    user(machine, "securid-ctl reload", 0, &[]);
    login(machine, "prod", 0, &[]);
    login(machine, "mine", 0, &[]);
    limited(machine, "", 3);
    user(machine, "securid-ctl config show", 0, &["50-company.toml:3, enforced; not never of"]);

    let unit =
        format!("/home/{USER}/.config/systemd/user/securid-sessiond.service.d/override.conf");
    let again = "systemctl --user daemon-reload && securid-ctl restart";
    save(
        machine,
        &unit,
        "[Service]\nEnvironment=SECURID_IDLE_TIMEOUT=never SECURID_ON_EXIT=keep\n",
    );
    user(machine, again, 0, &[]);
    limited(machine, "", 3);
    save(
        machine,
        &unit,
        "[Service]\nExecStart=\nExecStart=/usr/bin/securid-sessiond --config %h/.config/securid/config.toml \
         --set idle_timeout=never --set instances.mine.max_lifetime=never --set on_exit=keep\n",
    );
    user(machine, again, 0, &[]);
    limited(machine, "", 3);

    // As an own program, with files of its own.
    let own = "--socket $HOME/own/socket";
    let started = format!(
        "mkdir -m 700 ~/own && cp {config} ~/own/config.toml && cd ~/own && \
         SECURID_MAX_LIFETIME=never setsid securid-sessiond {own} --state-dir ~/own/state \
         --config ~/own/config.toml --set idle_timeout=never </dev/null >/dev/null 2>&1 & exit 0"
    );
    user(machine, &started, 0, &[]);
    let answers =
        || machine.user(&format!("securid-ctl {own} list")).status.success().then_some(());
    eventually("his own daemon", answers);
    login(machine, &format!("{own} mine"), 0, &[]);
    limited(machine, own, 1);
    user(machine, &format!("securid-ctl {own} stop"), 0, &[]);

    save(machine, &config, &format!("{key}{loose}\n[enforced]\nidle_timeout = \"never\"\n"));
    user(machine, "securid-ctl reload", 78, &["config.toml:21: enforced: only the machine"]);
    save(machine, &config, &format!("{key}{loose}"));
    // What he keeps over a stop keeps its limits.
    user(machine, "securid-ctl stop --keep", 0, &["kept for the next start"]);
    limited(machine, "", 3);
    // The evening: what he wants kept is dead.
    user(machine, "systemctl --user stop securid-sessiond", 0, &[]);
    assert_eq!(machine.simulator.truth().alive(), [""; 0]);
    user(machine, "rm -r ~/.config/systemd/user/securid-sessiond.service.d", 0, &[]);
    user(
        machine,
        "systemctl --user daemon-reload && systemctl --user start securid-sessiond",
        0,
        &[],
    );
}

/// Each of so many sessions ends by the company's limits at the latest.
fn limited(machine: &Machine, daemon: &str, sessions: usize) {
    let list = json(&user(machine, &format!("securid-ctl {daemon} list --json"), 0, &[]));
    let list = list["sessions"].as_array().unwrap();
    assert_eq!(list.len(), sessions);
    for session in list {
        let time =
            |key: &str| session[key].as_str().unwrap_or_else(|| panic!("no {key}: {session}"));
        let time = |key: &str| time(key).parse::<Timestamp>().unwrap();
        let idle = time("idle_deadline").duration_since(time("last_used_at"));
        let most = if session["instance"] == "prod" { 5 } else { 10 };
        assert!(idle.as_mins() <= most, "{session}");
        assert!(time("expires_at").duration_since(time("created_at")).as_hours() <= 8, "{session}");
    }
}

/// Her account is locked first; the server is down just then.
fn the_one_who_is_let_go(machine: &Machine) {
    root(machine, "useradd -m ann && loginctl enable-linger ann", 0, &[]);
    let bus = machine.root_ok("echo /run/user/$(id -u ann)/bus");
    eventually("her bus", || machine.path(bus.trim()).exists().then_some(()));
    other(machine, "ann", "securid-ctl setup", 0, &[]);
    for _ in 0..2 {
        let script = format!(
            "printf %s \"{PASSWORD}\" | securid-ctl login --password-stdin --username alice"
        );
        other(machine, "ann", &script, 0, &["alice at prod"]);
    }
    login(machine, "prod", 0, &[]);

    let shown = "runuser -u ann -- securid-ctl config show";
    root(
        machine,
        shown,
        0,
        &["50-company.toml:3, enforced", "/home/ann/.config/securid/config.toml"],
    );

    root(machine, "usermod -L -e 1 -s /usr/sbin/nologin ann", 0, &[]);
    machine.simulator.set_fault(Some(Fault::Down));
    root(
        machine,
        "securid-ctl logout --all-users --timeout 3s",
        75,
        &["ann: 2 pending (https://", "refuses connections", "tu: 1 pending"],
    );
    assert_eq!(machine.simulator.truth().alive().len(), 3);
    machine.simulator.set_fault(None);
    eventually("the server's word", || {
        machine.root("securid-ctl logout --all-users").status.success().then_some(())
    });
    assert_eq!(machine.simulator.truth().alive(), [""; 0]);
    root(machine, "securid-ctl logout --all-users", 0, &["ann: nothing", "tu: nothing"]);
}

fn the_report(machine: &Machine) {
    let (since, until) = ("$(date -u -d yesterday +%F)", "$(date -u -d tomorrow +%F)");
    let history = format!("securid-ctl history --since {since} --until {until}");
    let csv = user(machine, &format!("{history} --csv"), 0, &[]);
    let rows: Vec<BTreeMap<String, String>> =
        csv::Reader::from_reader(csv.as_bytes()).deserialize().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 4, "{csv}");
    for row in &rows {
        assert_eq!((&*row["outcome"], &*row["username"]), ("revoked", "alice"), "{row:?}");
        assert!(row["evidence"].starts_with("200 type=logoutUser; Date: "), "{row:?}");
    }
    user(machine, &format!("{history} --unconfirmed"), 0, &[]);

    // The server will never confirm this one; its administrator ends it there.
    let given_up = id(&login(machine, "prod --json", 0, &[]));
    machine.simulator.set_fault_for("logoutUser", Some(Fault::Status(503)));
    user(machine, "securid-ctl logout --timeout 3s", 75, &["HTTP 503"]);
    user(machine, &format!("securid-ctl forget {given_up} --yes"), 0, &[]);
    let alive = machine.simulator.truth().alive().first().map(|token| (*token).to_owned());
    assert!(machine.simulator.expire(&alive.expect("it lives")));
    machine.simulator.set_fault_for("logoutUser", None);
    user(machine, &format!("{history} --unconfirmed"), 1, &["forgotten"]);
    let numbers = "jq '{ended: .sessions | length, unconfirmed: [.sessions[] | \
                   select(.outcome | IN(\"revoked\", \"already-invalid\") | not) | .id]}'";
    let numbers = json(&user(machine, &format!("{history} --json | {numbers}"), 0, &[]));
    assert_eq!(numbers, serde_json::json!({"ended": 5, "unconfirmed": [given_up]}));

    // Everybody's audit: one beginning and one end for each token that the server has made.
    let audit =
        "journalctl -q --no-pager -o cat -t securid-sessiond | jq -cR 'fromjson? | select(.event)'";
    let of = |event: &str| {
        let counted =
            format!("{audit} | jq -r 'select(.event == \"{event}\") | .session' | sort -u | wc -l");
        root(machine, &counted, 0, &[]).trim().parse::<usize>().unwrap()
    };
    let made = machine.simulator.truth().tokens.len();
    eventually("the audit of all of them", || {
        ((of("created"), of("confirmed"), of("forgotten")) == (made, made - 1, 1)).then_some(())
    });
    let without_end = "jq -cs 'group_by(.session)[] | last | \
                       select(.event | IN(\"confirmed\", \"forgotten\", \"dropped\") | not)'";
    assert_eq!(root(machine, &format!("{audit} | {without_end}"), 0, &[]), "");
}
