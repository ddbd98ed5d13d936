//! The clients of `docs/examples`: each does its whole job, and leaves no token behind.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs::{self, File, Permissions};
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Output};
use std::thread;
use std::time::Duration;

use securid_simulator::Fault;
use securid_tests::patience::is_root;
use securid_tests::process::{Process, run, told};
use securid_tests::programs::programs;
use securid_tests::stranger::as_user;
use securid_tests::{
    House, PASSWORD, PATIENCE, Plan, Signal, eventually, is_installed, skipped, timed,
};
use serde_json::{Value, json};

/// A sample, and what it needs besides.
#[derive(Clone, Copy, PartialEq)]
enum Sample {
    Shell,
    Python,
    Node,
}

use Sample::{Node, Python, Shell};

impl Sample {
    fn file(self) -> &'static str {
        match self {
            Shell => "command.sh",
            Python => "securid.py",
            Node => "securid.mjs",
        }
    }

    fn can_run(self) -> bool {
        is_installed(match self {
            Shell => "curl",
            Python => "python3",
            Node => "node",
        })
    }

    /// It, in this house.
    fn command(self, house: &House, words: &[&str]) -> Command {
        let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/examples");
        let mut command = Command::new(samples.join(self.file()).canonicalize().unwrap());
        house.furnish(&mut command);
        // The programs under test may have other names than people's.
        let bin = house.path("bin");
        if fs::create_dir(&bin).is_ok() {
            symlink(&programs().ctl, bin.join("securid-ctl")).unwrap();
        }
        let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
        command.env("PATH", path).args(words);
        // For curl; the others leave TLS to the daemon.
        command.env("CURL_CA_BUNDLE", house.path("ca.pem"));
        command
    }

    fn ask(self, house: &House, words: &[&str]) -> Output {
        run(self.command(house, words), "", PATIENCE)
    }

    /// With a session of its own.
    fn ask_logged_in(self, house: &House, password: &str) -> Output {
        let file = house.path("password");
        fs::write(&file, format!("{password}\n")).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        let login = if self == Shell { "password" } else { "alice" };
        let command = self.command(house, &["--login", login, "findUsers", "name=alice"]);
        run(command, &format!("{password}\n"), PATIENCE)
    }
}

/// All at once, each in houses of its own.
fn each(of: &[Sample], work: impl Fn(Sample) + Sync) {
    thread::scope(|scope| {
        for sample in of.iter().copied().filter(|sample| sample.can_run()) {
            let work = &work;
            scope.spawn(move || work(sample));
        }
    });
}

const ALL: &[Sample] = &[Shell, Python, Node];

/// As patient with the server as it is by default: a crowd of tests is slow at times.
fn plan() -> Plan {
    plan_with(&[])
}

fn plan_with(more: &[(&'static str, &'static str)]) -> Plan {
    let revocation = [&[("attempt_timeout", "10s")], more].concat();
    Plan { revocation, ..Plan::default() }
}

fn status(output: &Output) -> Option<i32> {
    output.status.code()
}

#[test]
fn with_a_session_of_its_own_each_leaves_nothing_alive() {
    each(ALL, |sample| {
        let mut house = House::open(Plan { log: "trace", ..plan() });
        let answered = sample.ask_logged_in(&house, PASSWORD);
        assert_eq!(status(&answered), Some(0), "{}: {}", sample.file(), told(&answered));
        let answer: Value = serde_json::from_slice(&answered.stdout).unwrap();
        assert_eq!(answer, json!({"findUsers": [{"userid": "alice"}]}));
        let truth = house.simulator.truth();
        assert_eq!((truth.logins_ok, truth.alive().len()), (1, 0), "{truth:#?}");
        assert_eq!(truth.tokens[0].logout_requests, 1);
        assert_eq!((truth.requests_refused, truth.redirects_followed), (0, 0));
        let ended = house.call("session.history", json!({}));
        assert_eq!(
            ended["sessions"][0]["reason"], "request",
            "it did not leave that to the daemon"
        );
        house.note_heard(&told(&answered));
        house.note_heard(&String::from_utf8_lossy(&answered.stdout));
        house.eventually_empty();
        assert!(house.terminate().success());
        house.assert_no_leak();
    });
}

#[test]
fn a_session_that_there_is_is_held_meanwhile_and_left_alone() {
    each(ALL, |sample| {
        let house = House::open(plan());
        // Long enough to be seen.
        house.simulator.set_fault_for("findUsers", Some(Fault::Delay(Duration::from_secs(1))));
        let (id, token) = house.add_one();
        let held = |wanted: bool| {
            let is_held = || house.session(&id).is_some_and(|session| session["holds"] != 0);
            eventually("the hold", || (is_held() == wanted).then_some(()));
        };
        let answered = thread::scope(|scope| {
            let answered = scope.spawn(|| sample.ask(&house, &["findUsers", "bytes=300000"]));
            held(true);
            answered.join().unwrap()
        });
        assert_eq!(status(&answered), Some(0), "{}: {}", sample.file(), told(&answered));
        let newline = usize::from(sample == Shell);
        assert_eq!(answered.stdout.len(), 300_000 + newline, "{}", sample.file());
        held(false);
        assert_eq!(house.token(&id), token);
    });
}

#[test]
fn python_tells_what_changes() {
    if !Python.can_run() {
        return;
    }
    let mut house = House::open(plan());
    let told = house.path("events");
    let mut command = Python.command(&house, &["--events"]);
    command.stdout(File::create(&told).unwrap()).stderr(File::create(house.path("told")).unwrap());
    let mut python = Process::start(command);
    let events = || -> Vec<Value> {
        let text = fs::read_to_string(&told).unwrap();
        text.split_inclusive('\n').filter_map(|line| serde_json::from_str(line).ok()).collect()
    };
    let comes = |what: &str, id: &str| {
        let is_it = |event: &Value| {
            event["event"] == what && (id.is_empty() || event["session"]["id"] == id)
        };
        eventually(what, || events().iter().any(is_it).then_some(()));
    };
    comes("ready", "");
    let (id, _) = house.add_one();
    comes("session", &id);
    house.logout(&id, "10s");
    comes("ended", &id);
    let numbers: Vec<_> = events().iter().map(|event| event["seq"].as_u64().unwrap()).collect();
    assert!(numbers.iter().copied().eq(1..=numbers.len() as u64), "{numbers:?}");
    house.terminate();
    assert_eq!(python.wait(PATIENCE).code(), Some(69));
    let why = fs::read_to_string(house.path("told")).unwrap();
    assert!(why.contains("ended before it answered"), "{why}");
}

#[test]
fn what_goes_wrong_is_in_the_exit_status_and_in_words() {
    each(ALL, |sample| {
        let mut house = House::open(plan());
        // For the shell's script, securid-ctl exec did not begin.
        let begun = |other| if sample == Shell { 125 } else { other };
        let check = |output: Output, expected: i32, says: &str| {
            let said = told(&output);
            assert_eq!(status(&output), Some(expected), "{}, {says}: {said}", sample.file());
            assert!(said.contains(says), "{}, not {says:?}: {said}", sample.file());
            assert!(output.stdout.is_empty() && !said.contains(PASSWORD), "{said}");
            assert!(!said.contains("Traceback") && !said.contains("    at "), "{said}");
        };
        check(sample.ask(&house, &[]), 2, "usage: ");
        check(sample.ask(&house, &["findUsers"]), begun(66), "there is no session");
        check(sample.ask_logged_in(&house, "wrong horse"), begun(77), "refused");

        let (id, token) = house.add_one();
        for (fault, expected, says) in [
            (Fault::Status(401), 1, "401"),
            (Fault::Status(503), 1, "503"),
            (Fault::Redirect, 1, "302"),
            (Fault::Reset, 68, ""),
        ] {
            house.simulator.set_fault_for("findUsers", Some(fault));
            check(sample.ask(&house, &["findUsers"]), expected, says);
        }
        house.simulator.set_fault(None);
        house.simulator.set_fault_for("findUsers", None);
        assert_eq!(house.simulator.truth().redirects_followed, 0);
        assert_eq!((house.state(&id), house.token(&id)), ("active".to_owned(), token));

        house.signal(Signal::STOP);
        let (refused, took) = timed(|| sample.ask(&house, &["findUsers"]));
        check(refused, begun(69), "does not answer");
        assert!(took < Duration::from_secs(10), "{took:?}");
        house.signal(Signal::CONT);
        house.kill_9();
        check(sample.ask(&house, &["findUsers"]), begun(69), "no daemon is running");
    });
}

#[test]
fn an_end_that_is_not_confirmed_is_75() {
    each(&[Python, Node], |sample| {
        let mut house = House::open(plan_with(&[("shutdown_grace", "300ms")]));
        house.simulator.set_fault_for("logoutUser", Some(Fault::Status(503)));
        let answered = thread::scope(|scope| {
            let answered = scope.spawn(|| sample.ask_logged_in(&house, PASSWORD));
            eventually("the session's end to be asked for", || {
                house.sessions().iter().any(|session| session["state"] == "revoking").then_some(())
            });
            // It answers whoever waits before it goes.
            house.signal(Signal::TERM);
            answered.join().unwrap()
        });
        assert_eq!(status(&answered), Some(75), "{}: {}", sample.file(), told(&answered));
        assert!(String::from_utf8_lossy(&answered.stdout).contains("alice"));
        assert!(house.wait_for_end(PATIENCE).success());
        house.simulator.set_fault_for("logoutUser", None);
        house.start();
        house.eventually_true("the token's death", |truth| truth.alive().is_empty());
    });
}

#[test]
fn anothers_daemon_gets_nothing() {
    if !is_root() {
        return skipped("only root can be another user");
    }
    each(ALL, |sample| {
        let house = House::build(plan());
        for folder in ["", "run"] {
            fs::set_permissions(house.path(folder), Permissions::from_mode(0o777)).unwrap();
        }
        let socket = house.socket();
        let listener =
            as_user(800_000_000 + std::process::id(), || UnixListener::bind(&socket)).unwrap();
        let refused = sample.ask_logged_in(&house, PASSWORD);
        let expected = if sample == Shell { 125 } else { 76 };
        assert_eq!(status(&refused), Some(expected), "{}: {}", sample.file(), told(&refused));
        listener.set_nonblocking(true).unwrap();
        let mut heard = String::new();
        if let Ok((mut peer, _)) = listener.accept() {
            peer.read_to_string(&mut heard).unwrap();
        }
        assert_eq!(heard, "", "{}", sample.file());
    });
}
