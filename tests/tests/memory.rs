//! What is in the daemon's memory: live tokens where they are locked, and nowhere else; dead ones and passwords
//! nowhere. And who may look.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs::{self, File};
use std::io::ErrorKind;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use securid_simulator::{Fault, Options, Simulator};
use securid_tests::memory_scan::{self, Found};
use securid_tests::patience::{is_installed, is_root};
use securid_tests::process::{Process, run};
use securid_tests::programs::{programs, put_within_reach};
use securid_tests::stranger::as_user;
use securid_tests::{Client, House, PATIENCE, Plan, Signal, eventually, skipped};
use serde_json::json;

/// A password that looks different in JSON and in XML, and of which each part would be found.
const PASSWORD: &str = "Pa&ss<\"7f3k2m9xq4w8\\r5t1\">'z6y0u3i2";

/// What nobody would accept.
const WRONG: &str = "Wr&ng<\"0c4v8b2n6m1a\\s5d9\">'f3g7h1j5";

/// How often is looked again: a look takes some tenths of a second.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

#[test]
fn on_the_test_store() {
    with(Plan::default());
}

#[test]
fn on_a_sealed_file() {
    if !is_root() {
        return skipped("only root may read the daemon's memory");
    }
    let mut house = House::build(Plan { keyring: "sealed-file", ..Plan::default() });
    from_login_to_logout(&mut house);
    // The key is kept for as long as the daemon lives: its bytes in locked memory, its line nowhere.
    let line = fs::read_to_string(house.key_file()).unwrap();
    let digits = line.split_whitespace().nth(1).unwrap();
    let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
    let key: Vec<u8> = (0..digits.len()).step_by(2).map(byte).collect();
    let found = memory_scan::find_key(house.pid(), &key);
    assert!(!found.is_empty() && found.iter().all(|found| found.place.is_for_secrets()));
    nowhere(&house, digits);
}

#[test]
fn on_the_kernels_keyring() {
    if is_installed("keyctl") {
        with(Plan { keyring: "keyutils", ..Plan::default() });
    }
}

#[test]
fn on_gnome_keyring() {
    if !is_root() {
        return skipped("only root may read the daemon's memory");
    }
    let plan = Plan { keyring: "secret-service", ..Plan::default() };
    if let Some(mut house) = House::with_gnome_keyring(plan) {
        house.terminate();
        from_login_to_logout(&mut house);
    }
}

fn with(plan: Plan) {
    if !is_root() {
        return skipped("only root may read the daemon's memory");
    }
    from_login_to_logout(&mut House::build(plan));
}

fn from_login_to_logout(house: &mut House) {
    give_password(house);
    house.start();
    assert_eq!(house.refused("session.login", json!({"password": WRONG})).code, -32007);
    let ctl = |house: &House, words: &[&str], input: &str| {
        let output = house.ctl_with(words, input);
        assert!(output.status.success(), "{words:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    ctl(house, &["login", "--password-stdin"], PASSWORD);
    let made = house.simulator.truth().tokens[0].token.clone();
    let (id, handed_over) = house.add_one();
    let tokens = [made.as_str(), &handed_over];

    // All that a token is lent by, and what is shown.
    assert_eq!(ctl(house, &["token", &id], "").trim_end(), handed_over);
    ctl(house, &["token", &id, "--json"], "");
    let printed = ctl(house, &["exec", &id, "--", "printenv", "SECURID_TOKEN"], "");
    assert_eq!(printed.trim_end(), handed_over);
    for words in [&["list"][..], &["list", "--json"], &["status"], &["history"]] {
        ctl(house, words, "");
    }
    assert_eq!(house.token(&id), handed_over);

    // While they live they are there, and that they are found is what the rest of this rests on.
    for token in tokens {
        eventually("them to be in locked memory alone", || {
            elsewhere(house, token).is_empty().then_some(())
        });
        assert!(!memory_scan::find(house.pid(), token).is_empty(), "the live token was not found");
    }
    for password in [PASSWORD, WRONG] {
        nowhere(house, password);
    }

    // A logout that is not confirmed leaves it alive; one that is, leaves nothing.
    house.simulator.set_fault(Some(Fault::Status(500)));
    let pending = house.call("session.logout", json!({"sessions": [id], "wait": "1s"}));
    assert_eq!(pending["sessions"][0]["state"], "revoking", "{pending}");
    house.simulator.set_fault(None);
    ctl(house, &["logout", "--timeout", "30s"], "");
    house.eventually_empty();
    for token in tokens {
        nowhere(house, token);
    }
    for password in [PASSWORD, WRONG] {
        nowhere(house, password);
    }
}

/// Nothing of an exchange is left on a connection that is kept for the next one.
#[test]
fn a_kept_connection_remembers_nothing() {
    if !is_root() {
        return skipped("only root may read the daemon's memory");
    }
    let house = House::open(Plan::default());
    house.login();
    let first = house.simulator.truth().tokens[0].token.clone();
    assert!(!memory_scan::find(house.pid(), &first).is_empty(), "the live token was not found");
    assert_eq!(elsewhere(&house, &first).iter().map(Found::to_string).collect::<Vec<_>>(), [""; 0]);
    house.call("session.logout", json!({"all": true, "wait": "20s"}));
    house.eventually_empty();
    nowhere(&house, &first);
}

#[test]
fn nobody_else_of_the_same_user_may_look() {
    if !is_root() {
        return skipped("only root can be two users");
    }
    let user = 700_000_000 + std::process::id();
    let house = House::open(Plan { user: Some(user), ..Plan::default() });
    let pid = house.pid();
    // Another program of this user, which has nothing to hide: he may look at what is his.
    let open = Process::start({
        let mut sleep = Command::new("sleep");
        sleep.arg("60").uid(user);
        sleep
    });
    let (others, ours) = as_user(user, || {
        let look =
            |pid| ["mem", "environ", "maps"].map(|file| File::open(format!("/proc/{pid}/{file}")));
        (look(open.pid()), look(pid))
    });
    assert!(others.iter().all(Result::is_ok), "{others:?}");
    for refused in ours {
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::PermissionDenied);
    }
}

/// The command line closes its own memory, and what `exec` runs is as it would be without.
#[test]
fn what_exec_runs_is_not_closed_nor_without_core_dumps() {
    if !is_root() {
        return skipped("only root can run it as another user");
    }
    let user = 700_000_000 + std::process::id();
    let house = House::open(Plan { user: Some(user), ..Plan::default() });
    add_as(user, &house);
    let mut exec = Command::new("prlimit");
    exec.arg("--core=4096").arg(put_within_reach(&programs().ctl, &house.path("")));
    let script =
        "grep 'Max core' /proc/self/limits; stat -c %u /proc/self/environ /proc/$PPID/environ";
    exec.args(["exec", "--", "sh", "-c", script]);
    house.furnish(&mut exec);
    exec.uid(user).gid(user);
    let output = run(exec, "", PATIENCE);
    let said = String::from_utf8(output.stdout.clone()).unwrap();
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 3, "{output:?}");
    assert_eq!(lines[0].split_whitespace().collect::<Vec<_>>()[4..6], ["4096", "4096"]);
    assert_eq!(lines[1..], [&user.to_string(), "0"]);
}

#[test]
fn no_core_is_dumped() {
    let mut house = House::open(Plan::default());
    let limits = fs::read_to_string(format!("/proc/{}/limits", house.pid())).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core")).unwrap();
    assert_eq!(core.split_whitespace().collect::<Vec<_>>()[4..6], ["0", "0"]);
    house.signal(Signal::QUIT);
    let ended = house.wait_for_end(PATIENCE);
    assert_eq!((ended.signal(), ended.core_dumped()), (Some(Signal::QUIT.as_raw()), false));
}

/// Where little may be locked it works all the same, and says so, once.
#[test]
fn what_cannot_be_locked_is_told_once() {
    if !is_root() {
        return skipped("only root can run it as another user");
    }
    let user = 700_000_000 + std::process::id();
    let mut house = House::build(Plan { user: Some(user), ..Plan::default() });
    let whole = house.daemon_command();
    let mut limited = Command::new("prlimit");
    limited.arg("--memlock=0").arg(whole.get_program()).args(whole.get_args()).env_clear();
    limited.envs(whole.get_envs().filter_map(|(name, value)| Some((name, value?))));
    limited.uid(user).gid(user);
    house.start_with(limited);
    add_as(user, &house);
    let told = house.log().matches("cannot be locked").count();
    assert_eq!(told, 1, "{}", house.log());
}

/// Puts a server into the house that takes [`PASSWORD`] from its user.
fn give_password(house: &mut House) {
    let users = vec![("alice".to_owned(), PASSWORD.to_owned())];
    let server = Simulator::start(Options { users, ..Options::default() }).unwrap();
    fs::write(house.path("ca.pem"), server.ca_pem()).unwrap();
    house.change_config(house.simulator.url(), server.url());
    house.simulator = server;
}

/// Has the daemon of this user take a token over.
fn add_as(user: u32, house: &House) {
    let (token, socket) = (house.simulator.issue("alice"), house.socket());
    as_user(user, || {
        let mut client = Client::connect(&socket).unwrap();
        client.call("session.add", json!({"token": token})).unwrap();
    });
}

/// Where it is, other than in memory for secrets.
fn elsewhere(house: &House, secret: &str) -> Vec<Found> {
    let mut found = memory_scan::find(house.pid(), secret);
    found.retain(|found| !found.place.is_for_secrets());
    found
}

/// Soon: a thread may have to come to its end, or a connection.
fn nowhere(house: &House, secret: &str) {
    let until = Instant::now() + PATIENCE;
    loop {
        let found = memory_scan::find(house.pid(), secret);
        if found.is_empty() {
            return;
        }
        let places: Vec<_> = found.iter().map(Found::to_string).collect();
        assert!(
            Instant::now() < until,
            "parts of {:?}… are still there: {places:#?}",
            &secret[..4]
        );
        sleep(LOOK_AGAIN);
    }
}
