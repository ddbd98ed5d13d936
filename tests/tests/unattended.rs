//! `exec --login`: a session for one program ends with it, whatever dies first.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs::{self, File, Permissions};
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use securid_simulator::Fault;
use securid_tests::process::{Process, run};
use securid_tests::programs::programs;
use securid_tests::{House, PASSWORD, PATIENCE, Plan, Signal, eventually, timed, within};
use serde_json::{Value, json};

/// How long a daemon waits for the holder of a tied session, and a while for the rest.
const ABANDONED_WITHIN: Duration = Duration::from_secs(25);

fn house() -> House {
    house_with("")
}

fn house_with(top: &str) -> House {
    let house = House::open(Plan { top: top.to_owned(), ..Plan::default() });
    let file = house.path("password");
    fs::write(&file, format!("{PASSWORD}\n")).unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    house
}

/// `securid-ctl exec --login --password-file` with more words.
fn exec(house: &House, words: &[&str]) -> Command {
    let mut command = Command::new(&programs().ctl);
    house.furnish(&mut command);
    command.args(["exec", "--login", "--password-file", "password"]).args(words);
    command
}

fn ran(house: &House, words: &[&str]) -> Output {
    run(exec(house, words), "", PATIENCE)
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A program under `exec --login` that goes on until it is told to end.
struct Job {
    ctl: Process,
    folder: PathBuf,
    token: String,
    session: String,
}

impl Job {
    /// Begins one and waits until its program runs, which exits with 0 when it is told to, and with 9 on SIGTERM.
    fn begin(house: &House, words: &[&str]) -> Self {
        let folder = tempfile::Builder::new().tempdir_in(house.path("")).unwrap().keep();
        // It also ends with the house: killed, `securid-ctl` leaves it alone.
        let script = "trap 'exit 9' TERM; printf '%s %s' $SECURID_TOKEN $SECURID_SESSION >begun.new; \
                      mv begun.new begun; while [ -e begun ] && [ ! -e go ]; do sleep 0.05; done";
        let script = format!("cd {} && {script}", folder.display());
        let mut command = exec(house, &[words, &["--", "sh", "-c", &script]].concat());
        let stderr = File::create(folder.join("stderr")).unwrap();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(stderr);
        let ctl = Process::start(command);
        let begun = eventually("the program to run", || {
            let begun = fs::read_to_string(folder.join("begun")).ok()?;
            begun.split_once(' ').map(|(token, id)| (token.to_owned(), id.to_owned()))
        });
        Self { ctl, folder, token: begun.0, session: begun.1 }
    }

    /// Has its program end; the status of `securid-ctl`.
    fn end(&mut self) -> Option<i32> {
        self.tell_to_end();
        self.ctl.wait(PATIENCE).code()
    }

    fn tell_to_end(&self) {
        fs::write(self.folder.join("go"), "").unwrap();
    }

    fn stderr(&self) -> String {
        fs::read_to_string(self.folder.join("stderr")).unwrap()
    }

    /// Kills `securid-ctl`, and leaves its program alone.
    fn kill_ctl(&mut self) {
        self.ctl.signal(Signal::KILL);
        self.ctl.wait(PATIENCE);
    }

    fn is_held(&self, house: &House) -> bool {
        house.session(&self.session).is_some_and(|session| session["holds"] == 1)
    }
}

#[test]
fn it_has_a_session_of_its_own_which_ends_with_it() {
    let house = house_with("idle_timeout = \"300ms\"");
    let mut job = Job::begin(&house, &["prod"]);
    let (other, _) = house.add_one();
    // By an instance's name nobody gets the program's session, and the program nobody else's.
    assert_ne!(other, job.session);
    let meant = house.ctl(&["token", "prod", "--json", "--for", "1h"]);
    let meant: Value = serde_json::from_slice(&meant.stdout).unwrap();
    assert_eq!(meant["session"], *other);
    assert_eq!(house.token(&job.session), job.token);
    // It is in use.
    std::thread::sleep(Duration::from_millis(800));
    assert!(job.is_held(&house));

    assert_eq!(job.end(), Some(0), "{}", job.stderr());
    assert!(!house.fate(&job.token).alive, "confirmed before securid-ctl ended");
    let line = house.eventually_ended(&job.session);
    assert_eq!((&line["reason"], &line["outcome"]), (&"request".into(), &"revoked".into()));
    assert_eq!(house.state(&other), "active");
}

#[test]
fn its_program_gets_the_token_and_never_the_password() {
    let house = house();
    let script = "cat /proc/$$/environ /proc/$$/cmdline; exit 7";
    let output = ran(&house, &["--", "sh", "-c", script]);
    assert_eq!(output.status.code(), Some(7), "{output:?}");
    let seen = String::from_utf8_lossy(&output.stdout);
    let token = &house.simulator.truth().tokens[0].token;
    assert!(seen.contains(&format!("SECURID_TOKEN={token}")), "{seen}");
    for part in [PASSWORD, "correct", "horse"] {
        assert!(!seen.contains(part) && !told(&output).contains(part), "{output:?}");
    }
    assert!(!house.fate(token).alive);
}

#[test]
fn whatever_keeps_it_from_beginning_is_125_in_words() {
    let mut house = house();
    let refused = |words: &[&str], code: &str| {
        let output = ran(&house, &[&["--json"], words, &["--", "touch", "begun"]].concat());
        assert_eq!(output.status.code(), Some(125), "{output:?}");
        let error: Value = serde_json::from_slice(&output.stderr).unwrap();
        assert_eq!(error["error"]["code"], code, "{error}");
        assert!(!house.path("begun").exists());
    };
    refused(&["nowhere"], "no-such-instance");
    refused(&["--username", "nobody"], "login-refused");
    for (text, mode) in [("", 0o600), ("\n", 0o600), (PASSWORD, 0o640), (PASSWORD, 0o604)] {
        fs::write(house.path("password"), text).unwrap();
        fs::set_permissions(house.path("password"), Permissions::from_mode(mode)).unwrap();
        refused(&[], "usage");
    }
    fs::set_permissions(house.path("password"), Permissions::from_mode(0o400)).unwrap();
    house.simulator.set_fault(Some(Fault::Down));
    refused(&[], "server-unreachable");
    house.simulator.set_fault(None);
    assert_eq!(house.simulator.truth().tokens.len(), 0);

    // A program that cannot be run has had a session, and it ends all the same.
    let output = ran(&house, &["--", "/nonexistent"]);
    assert_eq!(output.status.code(), Some(127), "{output:?}");
    assert_eq!(house.simulator.truth().tokens.len(), 1);
    assert_eq!(house.simulator.truth().alive(), [""; 0]);
    house.kill_9();
    let output = ran(&house, &["--", "true"]);
    assert_eq!(output.status.code(), Some(125), "{output:?}");
}

#[test]
fn a_token_that_is_held_already_is_no_session_of_its_own() {
    let house = house();
    let (id, token) = house.add_one();
    house.simulator.hand_out(Some(&token));
    let output = ran(&house, &["--json", "--", "touch", "begun"]);
    assert_eq!(output.status.code(), Some(125), "{output:?}");
    let error: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(error["error"]["code"], "server-error", "{error}");
    assert!(told(&output).contains(&id), "{error}");
    assert!(!house.path("begun").exists());
    let session = house.session(&id).unwrap();
    assert_eq!((&session["state"], &session["holds"]), (&json!("active"), &json!(0)));
    assert!(house.fate(&token).alive);
    // Whoever logs in without ending it gets that session.
    assert_eq!(house.call("session.login", json!({"password": PASSWORD}))["id"], *id);
    // What belongs to one program is no other's either.
    house.simulator.hand_out(None);
    let mut job = Job::begin(&house, &[]);
    house.simulator.hand_out(Some(&job.token));
    assert_eq!(ran(&house, &["--", "true"]).status.code(), Some(125));
    assert!(job.is_held(&house));
    assert_eq!(job.end(), Some(0), "{}", job.stderr());
    assert_eq!(house.simulator.truth().alive(), [&token]);
}

#[test]
fn what_the_server_has_not_confirmed_is_75_where_the_program_has_nothing_to_complain_of() {
    let house = house();
    let script =
        |exit| format!("touch begun; while [ ! -e down ]; do sleep 0.05; done; exit {exit}");
    for (exit, status) in [(0, 75), (3, 3)] {
        let mut command = exec(&house, &["--timeout", "600ms", "--", "sh", "-c", &script(exit)]);
        command.stdin(Stdio::null()).stderr(File::create(house.path("stderr")).unwrap());
        let mut ctl = Process::start(command);
        eventually("the program to run", || house.path("begun").exists().then_some(()));
        house.simulator.set_fault(Some(Fault::Status(503)));
        fs::write(house.path("down"), "").unwrap();
        let (ended, took) = timed(|| ctl.wait(PATIENCE));
        assert_eq!(ended.code(), Some(status));
        assert!(took < Duration::from_secs(5), "{took:?}");
        let stderr = fs::read_to_string(house.path("stderr")).unwrap();
        assert!(stderr.contains("is not confirmed dead yet") && stderr.contains("503"), "{stderr}");
        // It is asked for, so that it is no matter of who holds it.
        assert_eq!(house.sessions()[0]["revocation"]["reason"], "request");
        house.simulator.set_fault(None);
        house.eventually_true("its end", |truth| truth.alive().is_empty());
        for file in ["begun", "down"] {
            fs::remove_file(house.path(file)).unwrap();
        }
    }
}

#[test]
fn a_signal_goes_to_the_program_and_then_the_session_ends() {
    let house = house();
    let mut job = Job::begin(&house, &[]);
    job.ctl.signal(Signal::TERM);
    assert_eq!(job.ctl.wait(PATIENCE).code(), Some(9));
    assert!(!house.fate(&job.token).alive);
    assert_eq!(house.eventually_ended(&job.session)["reason"], "request");
}

#[test]
fn a_killed_securid_ctl_leaves_no_token_behind() {
    let house = house();
    let mut job = Job::begin(&house, &[]);
    job.kill_ctl();
    // Not after some time: the daemon sees it at once.
    within(Duration::from_secs(5), "its end", || {
        house.simulator.truth().alive().is_empty().then_some(())
    });
    assert_eq!(house.eventually_ended(&job.session)["reason"], "abandoned");
    house.eventually_empty();
}

#[test]
fn a_daemon_that_dies_or_is_replaced_takes_no_program_s_session_along() {
    let mut house = house();
    let mut job = Job::begin(&house, &[]);
    for crash in [true, false] {
        if crash {
            house.kill_9();
        } else {
            assert!(house.terminate_keeping().success());
        }
        house.start();
        eventually("its holder to come back", || job.is_held(&house).then_some(()));
        assert_eq!(house.token(&job.session), job.token);
    }
    // One that dies right then is asked again when it is back.
    house.kill_9();
    job.tell_to_end();
    std::thread::sleep(Duration::from_secs(1));
    house.start();
    assert_eq!(job.ctl.wait(PATIENCE).code(), Some(0), "{}", job.stderr());
    assert!(!house.fate(&job.token).alive);
    assert_eq!(house.eventually_ended(&job.session)["reason"], "request");
}

#[test]
fn a_daemon_that_is_gone_in_the_end_is_told_and_the_next_one_revokes() {
    let mut house = house();
    let mut job = Job::begin(&house, &["--timeout", "500ms"]);
    house.kill_9();
    assert_eq!(job.end(), Some(75));
    assert!(job.stderr().contains("is not confirmed dead yet"), "{}", job.stderr());
    house.start();
    assert!(house.fate(&job.token).alive, "a holder might come back");
    within(ABANDONED_WITHIN, "its end", || {
        house.simulator.truth().alive().is_empty().then_some(())
    });
    assert_eq!(house.eventually_ended(&job.session)["reason"], "abandoned");
}

#[test]
fn if_both_die_the_next_daemon_revokes_it() {
    let mut house = house();
    let (other, token) = house.add_one();
    let mut job = Job::begin(&house, &[]);
    job.kill_ctl();
    house.kill_9();
    house.start();
    within(ABANDONED_WITHIN, "its end", || (!house.fate(&job.token).alive).then_some(()));
    assert_eq!(house.eventually_ended(&job.session)["reason"], "abandoned");
    assert!(house.fate(&token).alive);
    assert_eq!(house.state(&other), "active", "it is nobody's");

    let mut job = Job::begin(&house, &[]);
    job.kill_ctl();
    house.kill_9();
    house.reboot();
    house.start();
    within(Duration::from_secs(5), "its end", || (!house.fate(&job.token).alive).then_some(()));
}

#[test]
fn twenty_at_once_have_twenty_sessions() {
    let house = house();
    let mut jobs: Vec<Job> = std::thread::scope(|scope| {
        let begun: Vec<_> =
            (0..20).map(|_| scope.spawn(|| Job::begin(&house, &["--timeout", "30s"]))).collect();
        begun.into_iter().map(|job| job.join().unwrap()).collect()
    });
    let mut tokens: Vec<_> = jobs.iter().map(|job| job.token.clone()).collect();
    tokens.sort();
    tokens.dedup();
    assert_eq!(tokens.len(), 20);
    assert_eq!(house.simulator.truth().alive().len(), 20);
    // Some are killed, the others end by themselves.
    for job in &mut jobs[..5] {
        job.kill_ctl();
    }
    jobs[5..].iter().for_each(Job::tell_to_end);
    for job in &mut jobs[5..] {
        assert_eq!(job.ctl.wait(PATIENCE).code(), Some(0), "{}", job.stderr());
    }
    house.eventually_true("all ends", |truth| truth.alive().is_empty());
    house.eventually_empty();
}

#[test]
fn others_may_end_it_and_so_does_its_lifetime() {
    let house = house_with("max_lifetime = \"1500ms\"");
    let mut job = Job::begin(&house, &[]);
    assert_eq!(house.ctl(&["logout", "prod"]).status.code(), Some(0));
    assert!(!house.fate(&job.token).alive);
    assert_eq!(job.end(), Some(0), "{}", job.stderr());

    let mut job = Job::begin(&house, &[]);
    assert_eq!(house.eventually_ended(&job.session)["reason"], "lifetime");
    assert_eq!(job.end(), Some(0), "{}", job.stderr());
}

#[test]
fn systemd_s_credential_is_the_password_unless_another_is_named() {
    let house = house();
    let credentials = house.path("credentials");
    fs::create_dir(&credentials).unwrap();
    let put = |name: &str, text: &str| {
        fs::write(credentials.join(name), text).unwrap();
        // As systemd makes them from version 254 on.
        fs::set_permissions(credentials.join(name), Permissions::from_mode(0o440)).unwrap();
    };
    let ctl = |words: &[&str]| {
        let mut command = Command::new(&programs().ctl);
        house.furnish(&mut command);
        command.args(words).env("CREDENTIALS_DIRECTORY", &credentials);
        run(command, "", PATIENCE).status.code()
    };
    let without_flag = ["exec", "--login", "prod", "--", "true"];
    assert_eq!(ctl(&without_flag), Some(125), "there is none yet");
    put("securid-password", PASSWORD);
    assert_eq!(ctl(&without_flag), Some(0));
    put("other", "wrong");
    let other = credentials.join("other");
    let named = ["login", "--password-file", other.to_str().unwrap()];
    assert_eq!(ctl(&named), Some(77), "the named one counts");
    assert_eq!(ctl(&["login"]), Some(0));
    // Elsewhere such a file is open to others.
    fs::set_permissions(house.path("password"), Permissions::from_mode(0o440)).unwrap();
    assert_eq!(ctl(&["login", "--password-file", "password"]), Some(2));
    assert_eq!(house.ctl(&["logout"]).status.code(), Some(0));
    assert_eq!(house.simulator.truth().alive(), [""; 0]);
}

#[test]
fn securid_session_names_one_session_and_no_other() {
    let house = house();
    let (dead, _) = house.add_one();
    let (one, token) = house.add_one();
    house.add_one();
    house.logout(&dead, "5s");
    let ctl = |session: &str, words: &[&str]| {
        let mut command = Command::new(&programs().ctl);
        house.furnish(&mut command);
        command.args(words).env("SECURID_SESSION", session);
        let output = run(command, "", PATIENCE);
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let print = ["exec", "--", "sh", "-c", "echo $SECURID_TOKEN"];
    let lent = (Some(0), format!("{token}\n"));
    assert_eq!((ctl(&one, &["token"]), ctl(&one, &print)), (lent.clone(), lent));
    assert_eq!(ctl(&one, &["check"]), (Some(0), String::new()));
    // One that has ended is not another one.
    assert_eq!(ctl(&dead, &["token"]), (Some(66), String::new()));
    assert_eq!(ctl(&dead, &["check"]), (Some(66), String::new()));
    assert_eq!(ctl(&dead, &print), (Some(125), String::new()));
    // What is named goes first, and a logout of everything is no matter of one session.
    assert_eq!(ctl(&dead, &["token", &one]).0, Some(0));
    assert_eq!(ctl(&one, &["logout"]).0, Some(0));
    assert_eq!(house.simulator.truth().alive(), [""; 0]);
}

#[test]
fn over_the_socket_it_is_whoever_holds_it_that_counts() {
    let house = house();
    let tied = json!({"password": PASSWORD, "tied": true});
    let mut first = house.client();
    let taken = first.call("session.login", tied.clone()).unwrap();
    let id = taken["id"].as_str().unwrap().to_owned();
    assert_eq!(taken["holds"], 1);
    let mut second = house.client();
    second.call("session.hold", json!({"session": id})).unwrap();
    drop(first);
    eventually("one holder", || (house.session(&id)?["holds"] == 1).then_some(()));
    assert_eq!(house.state(&id), "active");
    drop(second);
    assert_eq!(house.eventually_ended(&id)["reason"], "abandoned");

    // Asked before anything is sent to the server.
    let mut greedy = house.client();
    let (id, _) = house.add_one();
    for _ in 0..64 {
        greedy.call("session.hold", json!({"session": id})).unwrap();
    }
    let logins = house.simulator.truth().logins_ok;
    assert_eq!(greedy.call("session.login", tied.clone()).unwrap_err().code, -32011);
    assert_eq!(house.simulator.truth().logins_ok, logins);

    // Whoever does not wait for the answer holds nothing.
    let mut hasty = house.client();
    house.simulator.set_latency(Duration::from_millis(400));
    hasty.send("session.login", tied);
    house.eventually_true("the login", |truth| truth.logins_ok > logins);
    drop(hasty);
    let made = house.simulator.truth().tokens.last().unwrap().token.clone();
    house.eventually_true("its end", |truth| !truth.token(&made).unwrap().alive);
}

/// What a program calls may reach the next daemon before its `exec` does.
#[test]
fn a_call_before_the_holder_comes_back_ends_nothing() {
    let mut house = house();
    let mut holder = house.client();
    let tied = json!({"password": PASSWORD, "tied": true});
    let taken = holder.call("session.login", tied).unwrap();
    let id = taken["id"].as_str().unwrap().to_owned();
    house.kill_9();
    house.start();
    house.call("session.call", json!({"session": id, "command": "findUsers"}));
    eventually("the call's end", || (house.session(&id)?["holds"] == 0).then_some(()));
    assert_eq!(house.state(&id), "active");
    let mut holder = house.client();
    holder.call("session.hold", json!({"session": id})).unwrap();
    drop(holder);
    assert_eq!(house.eventually_ended(&id)["reason"], "abandoned");
}

/// More clients than there is room for: the longest idle ones make room, and whoever holds is not idle.
#[test]
fn a_crowd_takes_nobody_s_place_who_holds() {
    let house = house();
    let job = Job::begin(&house, &[]);
    let mut crowd: Vec<UnixStream> = Vec::new();
    for _ in 0..400 {
        crowd.push(UnixStream::connect(house.socket()).unwrap());
    }
    // Whoever came first was told to go, so that all were let in.
    let mut first = &crowd[0];
    first.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut told = String::new();
    first.read_to_string(&mut told).unwrap();
    assert!(told.contains("-32011"), "{told}");
    assert!(job.is_held(&house));
    assert!(house.fate(&job.token).alive);
}
