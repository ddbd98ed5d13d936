//! `--drain`: what is recorded is revoked within a time, by whoever has it, and it never hangs.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, chown};
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use securid_simulator::Fault;
use securid_tests::patience::{is_installed, is_root};
use securid_tests::process::{Process, said, told};
use securid_tests::stranger::as_user;
use securid_tests::{Client, House, PATIENCE, Plan, Signal, eventually, skipped, timed, within};
use serde_json::{Value, json};

/// What "at once" is on a loaded machine; less than any deadline of the keyring or the grace.
const AT_ONCE: Duration = Duration::from_secs(2);

/// What `--drain` may take beyond its timeout: 3 s for a daemon that is stopped, and what a loaded
/// machine adds.
const MARGIN: Duration = Duration::from_secs(4);

/// What a pipe holds on Linux, unless told otherwise.
const PIPE: usize = 64 * 1024;

#[test]
fn drain_on_request() {
    on_request("test");
}

#[test]
fn drain_on_request_from_the_kernels_keyring() {
    if is_installed("keyctl") {
        on_request("keyutils");
    }
}

fn on_request(keyring: &'static str) {
    let (house, held) = House::left_alone(Plan { keyring, ..Plan::default() }, 20);
    fs::remove_file(house.socket()).unwrap();
    let (ended, took) = timed(|| house.run_daemon(&["--drain"]));
    assert_eq!(ended.status.code(), Some(0), "{}", told(&ended));
    assert_eq!(said(&ended), [""; 0]);
    assert!(took < AT_ONCE, "{took:?}");
    assert_eq!(house.simulator.truth().alive(), [""; 0]);
    assert!(house.records().is_empty() && house.secrets() == 0 && !house.socket().exists());
    let history = fs::read_to_string(house.state_dir().join("history.jsonl")).unwrap();
    assert!(held.iter().all(|(id, _)| history.contains(id)), "{history}");
    // Nothing is left: neither the lock nor anything recorded.
    assert_eq!(house.run_daemon(&["--drain"]).status.code(), Some(0));
}

#[test]
fn drain_with_a_gnome_keyring_that_is_frozen() {
    let plan = Plan { keyring: "secret-service", ..Plan::default() };
    let Some(mut house) = House::with_gnome_keyring(plan) else { return };
    let (_, token) = house.add_one();
    house.kill_9();
    house.secret_service.as_ref().unwrap().freeze();
    let (ended, took) = timed(|| house.run_daemon(&["--drain", "--timeout", "1s"]));
    assert_eq!(ended.status.code(), Some(75), "{}", told(&ended));
    assert!(took < Duration::from_secs(1) + MARGIN, "{took:?}");
    assert!(house.fate(&token).alive);
    let keyring = house.secret_service.as_mut().unwrap();
    keyring.thaw();
    keyring.revive();
    let ended = house.run_daemon(&["--drain"]);
    assert_eq!(ended.status.code(), Some(0), "{}", told(&ended));
    assert!(!house.fate(&token).alive);
}

#[test]
fn drain_with_nothing_recorded_touches_nothing() {
    let house = House::build(Plan::default());
    house.set_keyring_fault(Some("hang"));
    for spoilt in [false, true] {
        let (ended, took) = timed(|| house.run_daemon(&["--drain"]));
        assert_eq!(ended.status.code(), Some(0), "{}", told(&ended));
        assert_eq!(said(&ended).len(), usize::from(spoilt), "the faults are told");
        assert!(took < AT_ONCE, "{took:?}");
        assert!(!house.state_dir().exists());
        house.change_config("keyring =", "surprise = 1\nkeyring =");
    }
}

#[test]
fn drain_gives_up_in_time_and_the_next_start_goes_on() {
    for fault in [Fault::Down, Fault::Hang, Fault::Status(503)] {
        for timeout in [None, Some("700ms")] {
            let revocation = vec![("shutdown_grace", "1500ms")];
            // What is not confirmed is told whatever the level.
            let plan = Plan { revocation, log: "off", ..Plan::default() };
            let (mut house, held) = House::left_alone(plan, 3);
            house.simulator.set_fault(Some(fault));
            let mut words = vec!["--drain"];
            words.extend(timeout.into_iter().flat_map(|timeout| ["--timeout", timeout]));
            let (ended, took) = timed(|| house.run_daemon(&words));
            assert_eq!(ended.status.code(), Some(75), "{fault}: {}", told(&ended));
            let limit = Duration::from_millis(if timeout.is_some() { 700 } else { 1500 });
            assert!(took >= limit && took < limit + AT_ONCE, "{fault}: {took:?}");
            for (id, _) in &held {
                let lines = said(&ended);
                let about: Vec<_> =
                    lines.iter().filter(|line| line.contains(id.as_str())).collect();
                assert_eq!(about.len(), 1, "{fault}: {lines:?}");
                assert!(about[0].contains("is not confirmed dead: "), "{about:?}");
            }
            assert_eq!(house.simulator.truth().alive().len(), 3, "{fault}");

            house.start();
            for (id, _) in &held {
                assert_eq!(house.state(id), "revoking", "{fault}: the intent was not on disk");
            }
            house.simulator.set_fault(None);
            for (id, _) in &held {
                assert_eq!(house.eventually_ended(id)["reason"], "shutdown", "{fault}");
            }
        }
    }
}

/// With `--json` it says how far each session came, whoever has them.
#[test]
fn drain_tells_programs_how_far_it_came() {
    let told = |house: &House, status| {
        let ended = house.run_daemon(&["--drain", "--timeout", "1s", "--json"]);
        assert_eq!(ended.status.code(), Some(status), "{}", told(&ended));
        let told: Value = serde_json::from_slice(&ended.stdout).unwrap();
        told
    };
    let states = |told: &Value| {
        let sessions = told["sessions"].as_array().unwrap();
        let mut states: Vec<_> = sessions.iter().map(|it| it["state"].to_string()).collect();
        states.sort();
        states
    };
    let nothing = json!({"sessions": [], "undecided": 0, "error": null});
    assert_eq!(told(&House::build(Plan::default()), 0), nothing);
    for running in [false, true] {
        let (mut house, held) = House::left_alone(Plan::default(), 3);
        if running {
            house.start();
        }
        house.simulator.set_fault(Some(Fault::Down));
        let left = told(&house, 75);
        assert_eq!(states(&left), ["\"revoking\""; 3], "{left}");
        assert!(left["sessions"][0]["unreachable"].is_null(), "{left}");
        house.simulator.set_fault(None);
        let done = told(&house, 0);
        assert!(states(&done).iter().all(|state| state == "\"ended\""), "{done}");
        // A daemon that runs may have been faster than the question.
        let all = held.iter().all(|(id, _)| done.to_string().contains(id));
        assert!(all || running, "{done}");
        assert_eq!(house.simulator.truth().alive(), [""; 0]);
    }
    let (house, _) = House::left_alone(Plan::default(), 2);
    house.set_keyring_fault(Some("locked"));
    let left = told(&house, 75);
    assert!(
        left["sessions"].as_array().unwrap().iter().all(|it| it["unreachable"] == true),
        "{left}"
    );

    let house = House::open(Plan::default());
    house.add_one();
    house.signal(Signal::STOP);
    let left = told(&house, 75);
    house.signal(Signal::CONT);
    assert!(left["error"].as_str().unwrap().contains("cannot be asked"), "{left}");
}

/// What has no good record may be alive, whoever is asked about it.
#[test]
fn drain_says_what_nobody_knows_whether_a_daemon_runs_or_not() {
    for newer in [false, true] {
        let (mut house, _) = House::left_alone(Plan::default(), 1);
        let [path] = &house.records()[..] else { panic!("{:?}", house.records()) };
        let record = fs::read_to_string(path).unwrap();
        let text =
            if newer { record.replace("\"version\": 1,", "\"version\": 99,") } else { "{".into() };
        assert_ne!(text, record);
        fs::write(path, text).unwrap();
        house.set_keyring_fault(Some("locked"));
        house.start();
        for running in [true, false] {
            let ended = house.run_daemon(&["--drain", "--timeout", "1s", "--json"]);
            let said: Value = serde_json::from_slice(&ended.stdout).unwrap();
            let case = format!("newer: {newer}, running: {running}: {said}");
            assert_eq!(ended.status.code(), Some(75), "{case}");
            assert_eq!(said["undecided"], 1, "{case}");
            if running {
                house.terminate();
            }
        }
        assert_eq!(house.simulator.truth().alive().len(), 1, "newer: {newer}");
        house.set_keyring_fault(None);
        if !newer {
            house.start();
            let drained = house.run_daemon(&["--drain"]);
            assert_eq!(drained.status.code(), Some(0), "{}", told(&drained));
            assert_eq!(house.simulator.truth().alive(), [""; 0]);
        }
    }
}

#[test]
fn drain_without_any_time_leaves_the_intents_on_disk() {
    let (mut house, held) = House::left_alone(Plan::default(), 50);
    house.simulator.set_fault(Some(Fault::Down));
    assert_eq!(house.run_daemon(&["--drain", "--timeout", "0s"]).status.code(), Some(75));
    house.start();
    assert!(held.iter().all(|(id, _)| house.state(id) == "revoking"));
}

#[test]
fn drain_with_a_keyring_that_does_not_answer() {
    for (fault, word) in [("locked", "locked"), ("hang", "answer"), ("unavailable", "unavailable")]
    {
        let (mut house, held) = House::left_alone(Plan::default(), 2);
        house.set_keyring_fault(Some(fault));
        let (ended, took) = timed(|| house.run_daemon(&["--drain", "--timeout", "1s"]));
        assert_eq!(ended.status.code(), Some(75), "{fault}: {}", told(&ended));
        assert!(took < Duration::from_secs(1) + AT_ONCE, "{fault}: {took:?}");
        let lines = said(&ended);
        let about = lines.iter().find(|line| line.contains(&held[0].0)).unwrap();
        assert!(about.contains(word), "{fault}: {about}");
        house.set_keyring_fault(None);
        house.start();
        assert_eq!(house.eventually_ended(&held[0].0)["reason"], "shutdown", "{fault}");
    }
}

#[test]
fn drain_waits_for_a_keyring_that_comes_back_in_time() {
    let (house, _) = House::left_alone(Plan::default(), 2);
    house.set_keyring_fault(Some("locked"));
    let ended = thread::scope(|scope| {
        let drain = scope.spawn(|| house.run_daemon(&["--drain", "--timeout", "15s"]));
        eventually("the intents", || {
            let revoking = |path| fs::read_to_string(path).is_ok_and(|r| r.contains("revoking"));
            house.records().iter().all(revoking).then_some(())
        });
        house.set_keyring_fault(None);
        drain.join().unwrap()
    });
    assert_eq!(ended.status.code(), Some(0), "{}", told(&ended));
    assert_eq!(house.simulator.truth().alive(), [""; 0]);
}

#[test]
fn drain_asks_the_daemon_that_runs() {
    let mut house = House::open(Plan::default());
    let held = house.add_many(5);
    house.simulator.set_fault(Some(Fault::Down));
    let (ended, took) = timed(|| house.run_daemon(&["--drain", "--timeout", "1s"]));
    assert_eq!(ended.status.code(), Some(75), "{}", told(&ended));
    assert!(took < Duration::from_secs(1) + MARGIN, "{took:?}");
    for (id, _) in &held {
        let lines = said(&ended);
        let about: Vec<_> = lines.iter().filter(|line| line.contains(id.as_str())).collect();
        assert!(about.len() == 1 && about[0].contains("is not confirmed dead: "), "{lines:?}");
        assert_eq!(house.session(id).unwrap()["revocation"]["reason"], "request");
    }
    house.simulator.set_fault(None);
    let ended = house.run_daemon(&["--drain"]);
    assert_eq!(ended.status.code(), Some(0), "{}", told(&ended));
    assert_eq!(house.simulator.truth().alive(), [""; 0]);
    // It runs on, and takes new ones.
    let (lost, _) = house.add_one();
    house.kill_9();
    house.lose(&lost);
    house.start();
    eventually("the lost one", || (house.state(&lost) == "lost").then_some(()));
    let ended = house.run_daemon(&["--drain"]);
    assert_eq!(ended.status.code(), Some(0), "{}", told(&ended));
    assert!(said(&ended).iter().any(|line| line.contains(&lost)), "{}", told(&ended));
}

#[test]
fn drain_never_hangs_on_a_daemon_that_is_stopped() {
    let house = House::open(Plan::default());
    let (id, token) = house.add_one();
    house.signal(Signal::STOP);
    for timeout in ["100ms", "5s"] {
        let (ended, took) = timed(|| house.run_daemon(&["--drain", "--timeout", timeout]));
        assert_eq!(ended.status.code(), Some(75), "{}", told(&ended));
        assert!(took < MARGIN, "{timeout}: {took:?}");
        let told = told(&ended);
        assert!(told.contains(&format!("process {}", house.pid())), "{told}");
        assert!(told.contains("does not answer"), "{told}");
    }
    house.signal(Signal::CONT);
    assert_eq!(house.token(&id), token, "it was asked for nothing yet");
}

/// A terminal that is stopped, or a log collector that hangs.
#[test]
fn drain_is_not_held_up_by_a_stderr_that_nobody_reads() {
    let (house, held) = House::left_alone(Plan { log: "trace", ..Plan::default() }, 5);
    house.change_config("keyring =", "surprise = 1\nkeyring =");
    for (fault, code) in [(Some(Fault::Down), 75), (None, 0)] {
        house.simulator.set_fault(fault);
        let (unread, mut stderr) = std::io::pipe().unwrap();
        stderr.write_all(&[b'x'; PIPE]).unwrap();
        let mut command = house.daemon_command();
        command.args(["--drain", "--timeout", "1s"]).stderr(stderr);
        let (status, took) = timed(|| Process::start(command).wait(PATIENCE));
        assert_eq!(status.code(), Some(code));
        assert!(took < Duration::from_secs(1) + MARGIN, "{took:?}");
        drop(unread);
    }
    assert!(held.iter().all(|(_, token)| !house.fate(token).alive));
}

#[test]
fn drain_goes_on_where_a_daemon_that_ends_leaves_off() {
    let revocation = vec![("shutdown_grace", "1s")];
    let mut house = House::open(Plan { revocation, ..Plan::default() });
    house.add_many(3);
    house.simulator.set_fault(Some(Fault::Down));
    house.signal(Signal::TERM);
    let ended = thread::scope(|scope| {
        let drain = scope.spawn(|| house.run_daemon(&["--drain", "--timeout", "15s"]));
        // Our own process alone holds the lock once the daemon has gone.
        let first = house.pid().to_string();
        let holder = || fs::read_to_string(house.state_dir().join("lock")).unwrap_or_default();
        eventually("the other's turn", || {
            let now = holder();
            (!now.trim().is_empty() && now.trim() != first).then_some(())
        });
        house.simulator.set_fault(None);
        drain.join().unwrap()
    });
    assert_eq!(house.wait_for_end(PATIENCE).code(), Some(0));
    assert_eq!(ended.status.code(), Some(0), "{}", told(&ended));
    assert_eq!(house.simulator.truth().alive(), [""; 0]);
    assert!(house.records().is_empty());
}

/// The lock is another's, and the daemon that answers has other sessions.
#[test]
fn drain_asks_no_other_daemon_than_the_one_that_has_the_lock() {
    let (house, held) = House::left_alone(Plan::default(), 1);
    let other = House::open(Plan::default());
    let (id, token) = other.add_one();
    // A daemon of the first house, whose socket this command does not name.
    let mut command = house.daemon_command();
    command.args(["--socket", &house.path("run/elsewhere.sock").to_string_lossy()]);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let _running = Process::start(command);
    within(PATIENCE, "it to listen", || house.path("run/elsewhere.sock").exists().then_some(()));
    let socket = other.socket();
    let words = ["--drain", "--timeout", "500ms", "--socket", &*socket.to_string_lossy()];
    let (ended, took) = timed(|| house.run_daemon(&words));
    assert_eq!(ended.status.code(), Some(75), "{}", told(&ended));
    assert!(told(&ended).contains("another daemon"), "{}", told(&ended));
    assert!(took < Duration::from_millis(500) + MARGIN, "{took:?}");
    assert_eq!(other.token(&id), token);
    assert!(house.fate(&held[0].1).alive);
}

#[test]
fn drain_does_not_take_for_dead_what_it_cannot_read() {
    if !is_root() {
        return skipped("only root can keep a file from its user");
    }
    let user = 700_000_000 + std::process::id();
    let mut house = House::open(Plan { user: Some(user), ..Plan::default() });
    let tokens = [(); 2].map(|()| house.simulator.issue("alice"));
    let socket = house.socket();
    // It lets nobody in but its own user.
    let held = as_user(user, || {
        let mut client = Client::connect(&socket).unwrap();
        tokens.each_ref().map(|token| {
            let taken = client.call("session.add", json!({"token": token})).unwrap();
            (taken["id"].as_str().unwrap().to_owned(), token.clone())
        })
    });
    house.kill_9();
    let path = house.state_dir().join(format!("sessions/{}.json", held[0].0));
    chown(&path, Some(0), Some(0)).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    let ended = house.run_daemon(&["--drain"]);
    assert_eq!(ended.status.code(), Some(75), "{}", told(&ended));
    assert!(told(&ended).contains(&*path.to_string_lossy()), "{}", told(&ended));
    assert_eq!(house.simulator.truth().alive(), [held[0].1.as_str()]);
}

#[test]
fn drain_is_asked_for_in_words_that_make_sense() {
    let house = House::build(Plan::default());
    for words in [
        &["--timeout", "5s"][..],
        &["--drain", "--timeout", "5"],
        &["--drain", "--timeout", "never"],
        &["--drain", "--check-config"],
    ] {
        assert_eq!(house.run_daemon(words).status.code(), Some(2), "{words:?}");
    }
}

/// What is left is told and counts: a secret that cannot be read, one in a store that this build does
/// not know, a record of a newer version.
#[test]
fn what_this_version_cannot_make_out_is_not_taken_for_nothing() {
    let spoilt: [fn(&House, &str); 3] = [
        |house, id| {
            fs::remove_file(&house.records()[0]).unwrap();
            let mut files = fs::read_dir(house.path("store")).unwrap().flatten();
            let secret = files.find(|f| f.path().to_string_lossy().ends_with(id)).unwrap().path();
            let mut bytes = fs::read(&secret).unwrap();
            bytes[60] ^= 1;
            fs::write(&secret, bytes).unwrap();
        },
        |house, _| {
            fs::remove_file(&house.records()[0]).unwrap();
            let index = fs::read_to_string(house.index()).unwrap();
            fs::write(house.index(), index.replace("\"test\"", "\"kwallet\"")).unwrap();
            fs::rename(house.path("store"), house.path("elsewhere")).unwrap();
            fs::create_dir(house.path("store")).unwrap();
        },
        |house, _| {
            let record = house.records()[0].clone();
            let text = fs::read_to_string(&record).unwrap();
            fs::write(record, text.replace("\"version\": 1", "\"version\": 99")).unwrap();
        },
    ];
    for (n, spoil) in spoilt.iter().enumerate() {
        let mut house = House::open(Plan::default());
        let (id, token) = house.add_one();
        house.kill_9();
        spoil(&house, &id);
        let ended = house.run_daemon(&["--drain", "--timeout", "5s"]);
        assert_eq!(ended.status.code(), Some(75), "{n}: {}", told(&ended));
        assert!(!said(&ended).is_empty(), "{n}: {}", told(&ended));
        assert!(house.fate(&token).alive, "{n}");
    }
}
