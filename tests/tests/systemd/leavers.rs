//! `securid-ctl logout --all-users`: everybody is logged out as himself, and what remains is told, whatever users
//! have prepared.

mod household;

use std::fs;
use std::process::Output;
use std::time::{Duration, Instant};

use securid_simulator::Fault;
use securid_tests::process::told;
use securid_tests::{Machine, PATIENCE, Plan, USER, eventually, within};
use serde_json::{Value, json};

use household::Household;

/// How long a visit of everybody may take here: the longest of them, who does not answer, 3 s after the timeout and
/// for everything else on a machine that does more than this.
const VISIT: Duration = Duration::from_secs(20);

const ALL: &str = "securid-ctl logout --all-users --timeout 1s";

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The user's line.
fn line<'a>(lines: &'a str, user: &str) -> &'a str {
    let begin = format!("{user}: ");
    let mut own = lines.lines().filter_map(|line| line.strip_prefix(&begin));
    let line = own.next().unwrap_or_else(|| panic!("no line of {user}: {lines}"));
    assert_eq!(own.next(), None, "{lines}");
    line
}

/// What `--json` has of this user.
fn entry(all: &Value, user: &str) -> Value {
    let users = all["users"].as_array().unwrap();
    let entry = users.iter().find(|entry| entry["user"] == user);
    entry.unwrap_or_else(|| panic!("nothing about {user}: {all}")).clone()
}

#[test]
fn whoever_has_sessions_is_logged_out_by_one_command() {
    let Some(house) = Household::boot() else { return };
    let machine = &house.machine;
    assert_eq!(stdout(&machine.root(ALL)), "nothing to do\n");
    let refused = machine.user(ALL);
    assert_eq!(refused.status.code(), Some(1));
    assert!(told(&refused).contains("only root"), "{}", told(&refused));

    // With a daemon of his manager's, with none any more, with one elsewhere, and with that of a system unit, stopped.
    machine.enable_units();
    machine.login();
    machine.login();
    house.add("ann");
    house.login("ann");
    house.kill_daemon_of("ann");
    // As whoever has left is shut out first.
    machine.root_ok("usermod -L -e 1 -s /usr/sbin/nologin ann");
    // In a home that he has no more.
    house.add("mov");
    house.login("mov");
    house.kill_daemon_of("mov");
    machine.root_ok("install -d -o mov /home/new && usermod -d /home/new mov");
    house.add("far");
    house.as_user("far", "securid-ctl stop");
    house.serve("sue");
    house.login("sue");
    house.as_user("sue", "securid-ctl stop --keep");
    machine.root_ok("systemctl stop securid-sessiond@$(id -u sue).socket");
    assert_eq!(house.alive().len(), 5);

    // Whoever forgets the others is told of them.
    let alone = machine.root("securid-ctl logout");
    assert_eq!(alone.status.code(), Some(0), "{}", told(&alone));
    let warned = told(&alone);
    assert!(warned.contains("others have records here too: "), "{warned}");
    for user in [USER, "ann", "mov", "sue"] {
        assert!(warned.contains(user), "{warned}");
    }
    assert!(!warned.contains("far"), "{warned}");
    assert_eq!(house.alive().len(), 5);

    let everybody = machine.root(ALL);
    let lines = stdout(&everybody);
    assert_eq!(everybody.status.code(), Some(0), "{}", told(&everybody));
    assert_eq!(house.alive(), [""; 0]);
    assert_eq!(line(&lines, USER), "2 revoked");
    assert_eq!(line(&lines, "ann"), "1 revoked");
    assert_eq!(line(&lines, "mov"), "1 revoked");
    assert_eq!(line(&lines, "sue"), "1 revoked");
    assert_eq!(line(&lines, "far"), "nothing");
    assert_eq!(lines.lines().count(), 5, "{lines}");
    // Nobody's daemon was ended, and each knows what became of his own.
    let history = machine.ctl("history");
    assert_eq!(history["sessions"][1]["outcome"], "revoked", "{history}");
    machine.login();
}

#[test]
fn what_remains_is_told_and_nobody_holds_the_others_up() {
    let Some(house) = Household::boot() else { return };
    let machine = &house.machine;
    for user in ["ann", "bob", "eve", "ice", "old"] {
        house.add(user);
        house.login(user);
    }
    // One of bob's sessions is at a server that is not there.
    house.as_user("bob", "printf %s of-another-server | securid-ctl add far --token-stdin");
    for user in ["ann", "bob", "eve", "old"] {
        house.kill_daemon_of(user);
    }
    machine.root_ok("mv /home/eve/key /home/eve/key-away && pkill -STOP -x -u ice securid-session");
    let old = machine.root_ok("id -u old");
    machine.root_ok("userdel old");

    let began = Instant::now();
    let everybody = machine.root(ALL);
    assert!(began.elapsed() < VISIT, "{:?}", began.elapsed());
    let lines = stdout(&everybody);
    // Nobody could visit him who is no user any more, and that is worse than what is tried again.
    assert_eq!(everybody.status.code(), Some(1), "{}", told(&everybody));
    assert_eq!(line(&lines, "ann"), "1 revoked");
    let bob = line(&lines, "bob");
    assert!(bob.starts_with("1 revoked, 1 pending (https://127.0.0.1:9"), "{bob}");
    let eve = line(&lines, "eve");
    assert!(eve.starts_with("keyring cannot be reached ("), "{eve}");
    assert!(eve.contains("key") && eve.ends_with("): 1 session"), "{eve}");
    assert!(line(&lines, "ice").contains("cannot be asked"), "{lines}");
    let nobody = line(&lines, &format!("uid {}", old.trim()));
    assert!(nobody.contains("no user has this number"), "{nobody}");
    assert!(nobody.contains("/home/old"), "{nobody}");
    assert_eq!(house.alive().len(), 3, "those of eve, ice and old");

    // What is known of a session whose token nobody can get at.
    machine.root_ok("runuser -u eve -- securid-ctl start");
    let list = machine.root_ok("runuser -u eve -- securid-ctl list");
    assert!(list.contains("prod") && list.contains("alice"), "{list}");
    house.kill_daemon_of("eve");

    machine.root_ok("rm -r /home/old && mv /home/eve/key-away /home/eve/key");
    machine.root_ok("pkill -CONT -x -u ice securid-session");
    machine.simulator.set_fault(Some(Fault::Down));
    let everybody = machine.root(&format!("{ALL} --json"));
    assert_eq!(everybody.status.code(), Some(75), "{}", told(&everybody));
    let all: Value = serde_json::from_str(&stdout(&everybody)).unwrap();
    let uid: u32 = machine.root_ok("id -u eve").trim().parse().unwrap();
    let pending = json!({"user": "eve", "uid": uid, "revoked": 0, "pending": 1, "unreachable": 0,
        "lost": 0, "error": null});
    assert_eq!(entry(&all, "eve"), pending);
    assert_eq!(entry(&all, "ice")["pending"], 1);

    machine.simulator.set_fault(None);
    house.as_user(
        "bob",
        "securid-ctl start && securid-ctl forget --yes $(securid-ctl list --json | \
         grep -o \"[0-9a-f]\\{16\\}\" | head -n 1)",
    );
    let everybody = machine.root(ALL);
    assert_eq!(everybody.status.code(), Some(0), "{}", told(&everybody));
    assert_eq!(house.alive().len(), 1, "that of old, whose records are gone");
}

/// What is behind a locked keyring nobody can get at but its owner; a daemon that runs needs it no more.
#[test]
fn a_locked_keyring_keeps_what_no_daemon_has_in_memory() {
    let plan = Plan { keyring: "secret-service", ..Plan::default() };
    let Some(machine) = Machine::boot(plan) else { return };
    let lock = "busctl --user call org.freedesktop.secrets /org/freedesktop/secrets \
                org.freedesktop.Secret.Service Lock ao 1 /org/freedesktop/secrets/collection/login";
    machine.enable_units();
    machine.login();
    machine.user_ok(lock);
    let lines = machine.root_ok(ALL);
    assert_eq!(line(&lines, USER), "1 revoked");
    assert_eq!(machine.simulator.truth().alive(), [""; 0]);

    machine.user_ok("systemctl --user restart gnome-keyring-daemon.service");
    machine.login();
    machine.user_ok("securid-ctl stop --keep && systemctl --user stop securid-sessiond.socket");
    machine.user_ok(lock);
    let locked = machine.root(ALL);
    assert_eq!(locked.status.code(), Some(75), "{}", told(&locked));
    let lines = stdout(&locked);
    let own = line(&lines, USER);
    assert!(own.starts_with("keyring cannot be reached (") && own.contains("locked"), "{own}");
    assert!(own.ends_with(": 1 session"), "{own}");
    assert_eq!(machine.simulator.truth().alive().len(), 1);

    machine.user_ok("systemctl --user restart gnome-keyring-daemon.service");
    assert_eq!(line(&machine.root_ok(ALL), USER), "1 revoked");
    // Records elsewhere are found by the daemon that has them.
    machine.user_ok(
        "SECURID_STATE_DIR=$HOME/elsewhere setsid securid-sessiond </dev/null >/dev/null 2>&1 & exit 0",
    );
    let answers = || machine.user("securid-ctl list").status.success().then_some(());
    eventually("a daemon by hand", answers);
    machine.login();
    assert_eq!(line(&machine.root_ok(ALL), USER), "1 revoked");
    assert_eq!(machine.simulator.truth().alive(), [""; 0]);
}

/// What a user has put into his home is neither followed nor run nor obeyed, and holds nobody up.
#[test]
fn a_hostile_user_gets_nothing_of_roots() {
    let Some(house) = Household::boot() else { return };
    let machine = &house.machine;
    house.add("ann");
    house.login("ann");
    house.add("mal");
    house.as_user("mal", "securid-ctl stop");
    // A file that root alone may read, with a record's name; one that is never at its end; programs of ours by name.
    machine.root_ok("install -m 600 /dev/null /root/secret && echo precious > /root/secret");
    house.as_user(
        "mal",
        "cd ~/.local/state/securid && mkdir -p sessions damaged ~/bin && \
         mkfifo sessions/0123456789abcdef.json sessions/fifo damaged/fedcba9876543210.json && \
         ln -s /root/secret sessions/1123456789abcdef.json && ln -s /dev/zero sessions/2123456789abcdef.json && \
         ln -s /etc/shadow sessions/3123456789abcdef.json && ln -s /dev/tty sessions/4123456789abcdef.json && \
         for name in securid-sessiond securid-ctl setsid runuser env getent; do \
         printf \"#!/bin/sh\\ntouch /tmp/was-run\\n\" > ~/bin/$name; chmod +x ~/bin/$name; done; \
         printf \"PATH=~/bin:\\$PATH\\ntouch /tmp/was-run\\n\" | tee ~/.profile ~/.bashrc ~/.bash_profile > ~/.pam_environment",
    );
    let shadow = machine.root_ok("stat -c '%a %U %Y %s' /etc/shadow /root/secret");
    house.kill_daemon_of("ann");
    let began = Instant::now();
    let everybody = machine.root(&format!("PATH=/home/mal/bin:$PATH /usr/bin/{ALL}"));
    assert!(began.elapsed() < VISIT, "{:?}", began.elapsed());
    assert_eq!(line(&stdout(&everybody), "ann"), "1 revoked", "{}", told(&everybody));
    assert_eq!(house.alive(), [""; 0]);
    assert!(!told(&everybody).contains("precious"), "{}", told(&everybody));
    assert_eq!(machine.root_ok("stat -c '%a %U %Y %s' /etc/shadow /root/secret"), shadow);
    assert!(!machine.path("/tmp/was-run").exists());

    // A folder of his that leads to ann's is looked at by himself alone.
    machine.root_ok("rm -r /home/mal/.local/state/securid");
    house.as_user("mal", "ln -s /home/ann/.local/state/securid ~/.local/state/securid");
    house.as_user("ann", "securid-ctl start");
    house.login("ann");
    let everybody = machine.root(ALL);
    assert_eq!(line(&stdout(&everybody), "ann"), "1 revoked", "{}", told(&everybody));
    assert_eq!(everybody.status.code(), Some(1), "mal's could not be looked at");
    assert!(!line(&stdout(&everybody), "mal").is_empty());
}

/// Who is visited has nothing of root's: no terminal, descriptor, group, variable or capability. What his side says
/// is no command to root's terminal.
#[test]
fn a_visit_brings_nothing_of_roots_along() {
    let Some(house) = Household::boot() else { return };
    let machine = &house.machine;
    house.add("ice");
    house.login("ice");
    let config = machine.path(&format!("/home/{USER}/.config/securid/config.toml"));
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("[instances.prod]", "[instances.\"prod\\u001b[2J\"]")).unwrap();
    machine.enable_units();
    machine.login();
    machine.root_ok("pkill -STOP -x -u ice securid-session");
    machine.root_ok(&format!(
        "systemd-run --quiet --unit=visit env SECRET=roots sh -c \
         \"exec 9</etc/shadow; cd /root; script -qec '{ALL}; echo exit \\$?' /root/said\""
    ));
    let pid = within(PATIENCE, "a visit", || {
        let found = machine.root("pgrep -u ice -f -- '^/usr/bin/securid-sessiond .*--drain'");
        stdout(&found).lines().next().map(str::to_owned)
    });
    let about = machine.root_ok(&format!(
        "cd /proc/{pid} && cat status && echo tty $(awk '{{print $7}}' stat) && ls -l fd cwd && tr '\\0' '\\n' < environ"
    ));
    let has = |line: &str| about.lines().any(|it| it.split_whitespace().eq(line.split(' ')));
    let (uid, gid) = (machine.root_ok("id -u ice"), machine.root_ok("id -g ice"));
    let four = |id: &str| [id.trim(); 4].join(" ");
    assert!(has(&format!("Uid: {}", four(&uid))), "{about}");
    assert!(has(&format!("Gid: {}", four(&gid))), "{about}");
    assert!(has(&format!("Groups: {}", gid.trim())), "{about}");
    for capabilities in ["CapInh:", "CapPrm:", "CapEff:", "CapAmb:"] {
        assert!(has(&format!("{capabilities} 0000000000000000")), "{about}");
    }
    assert!(has("tty 0"), "{about}");
    for foreign in ["/etc/shadow", "/dev/pts", "/root", "SECRET"] {
        assert!(!about.contains(foreign), "{foreign}: {about}");
    }
    let said = eventually("its end", || {
        let said = fs::read_to_string(machine.path("/root/said")).ok()?;
        said.contains("exit ").then_some(said)
    });
    assert!(said.contains("exit 75") && !said.contains('\x1b'), "{said:?}");
    assert!(said.contains("1 revoked"), "{said:?}");
}
