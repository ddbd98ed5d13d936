//! With a bad config what is recorded is revoked by its own settings, and nothing new is taken in.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::time::Duration;

use securid_simulator::Fault;
use securid_tests::process::{said, told};
use securid_tests::{House, PASSWORD, PATIENCE, Plan, Signal, eventually, timed};
use serde_json::{Value, json};

/// What "at once" is on a loaded machine; less than any deadline of the keyring or the grace.
const AT_ONCE: Duration = Duration::from_secs(2);

/// Ways to spoil a config, with a word of what is told.
type Spoil = (fn(&House), &'static str);

const SPOILT: [Spoil; 4] = [
    (|house| house.change_config("keyring =", "surprise = 1\nkeyring ="), ":1: surprise: "),
    (|house| house.write_config("keyring = \"test\"\n[instances.prod\n"), ":2: "),
    (|house| house.change_config("url = \"https", "url = \"ftp"), ": instances.prod.url: "),
    (|house| fs::remove_file(house.config()).unwrap(), "there is no such file"),
];

/// The first of them alone.
fn spoil(house: &House) {
    SPOILT[0].0(house);
}

fn mend(house: &House) {
    house.change_config("surprise = 1\n", "");
}

#[test]
fn a_bad_config_revokes_what_is_recorded_and_exits() {
    for (spoil, word) in SPOILT {
        let (mut house, held) = House::left_alone(Plan::default(), 5);
        let config = fs::read_to_string(house.config()).unwrap();
        spoil(&house);
        let ended = house.run_daemon(&[]);
        let told = told(&ended);
        assert_eq!(ended.status.code(), Some(78), "{word}: {told}");
        assert!(told.lines().next().unwrap().contains(word), "{word}: {told}");
        assert_eq!(house.simulator.truth().alive(), [""; 0], "{word}");
        assert!(house.records().is_empty() && house.secrets() == 0, "{word}");
        assert!(!house.socket().exists(), "{word}");

        house.write_config(&config);
        house.start();
        for (id, _) in held {
            let line = house.ended(&id).expect("the history has it");
            assert_eq!(
                (&line["reason"], &line["outcome"]),
                (&json!("shutdown"), &json!("revoked"))
            );
        }
    }
}

#[test]
fn with_nothing_recorded_a_bad_config_exits_at_once() {
    let mut house = House::open(Plan::default());
    assert!(house.terminate().success());
    house.set_keyring_fault(Some("hang"));
    spoil(&house);
    let (ended, took) = timed(|| house.run_daemon(&[]));
    assert_eq!(ended.status.code(), Some(78));
    assert!(took < AT_ONCE, "{took:?}");
    assert!(!house.socket().exists());
}

#[test]
fn what_is_not_ours_to_revoke_counts_as_nothing() {
    // A newer version's may be alive, and is this machine's: on request, that is not nothing.
    let cases = [("machine", json!("of somebody else"), 0), ("version", json!(99), 75)];
    for (key, value, on_request) in cases {
        let (house, held) = House::left_alone(Plan::default(), 1);
        let path = house.records().remove(0);
        let mut record: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        record[key] = value;
        let text = format!("{record:#}\n");
        fs::write(&path, &text).unwrap();
        spoil(&house);
        for (words, code) in [(&[][..], 78), (&["--drain"], on_request)] {
            let (ended, took) = timed(|| house.run_daemon(words));
            assert_eq!(ended.status.code(), Some(code), "{key}: {}", told(&ended));
            assert!(told(&ended).contains(&*path.to_string_lossy()), "{key}: {}", told(&ended));
            assert!(took < AT_ONCE, "{key}: {took:?}");
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), text, "{key}");
        assert!(house.fate(&held[0].1).alive, "{key}");
        assert_eq!(house.secrets(), 1, "{key}");
    }
}

#[test]
fn while_it_drains_it_takes_nothing_in_and_serves_the_rest() {
    // It has no grace: what it begins with the server down it finishes whenever that comes back.
    let revocation = vec![("shutdown_grace", "100ms")];
    let (mut house, held) = House::left_alone(Plan { revocation, ..Plan::default() }, 3);
    let (first, token) = &held[0];
    spoil(&house);
    house.simulator.set_fault(Some(Fault::Down));
    house.start();

    let status = house.call("daemon.status", json!({}));
    let problems = status["problems"].to_string();
    assert!(problems.contains("draining") && problems.contains("surprise"), "{problems}");
    assert_eq!(status["sessions"]["revoking"], 3, "{status}");
    assert_eq!(house.ctl(&["status"]).status.code(), Some(1));
    let log = house.log();
    let (faults, after) = log.split_once(":1: surprise: ").expect("the faults are told");
    assert!(!faults.contains("draining") && after.contains("taking up"), "{log}");

    let brought = house.simulator.issue("alice");
    for (method, params) in [
        ("session.login", json!({"password": PASSWORD})),
        ("session.login", json!({"instance": "no-such", "password": PASSWORD})),
        ("session.add", json!({"token": brought})),
    ] {
        let refused = house.refused(method, params);
        assert_eq!((refused.code, &refused.data["bad_config"]), (-32010, &json!(true)));
        assert!(refused.data["hint"].as_str().unwrap().contains("--check-config"), "{refused:?}");
    }
    for (words, input) in
        [(&["login", "--password-stdin"], PASSWORD), (&["add", "--token-stdin"], &brought)]
    {
        let refused = house.ctl_with(words, input);
        assert_eq!(refused.status.code(), Some(78), "{}", told(&refused));
    }
    for method in ["session.token", "session.hold", "session.touch"] {
        assert_eq!(house.refused(method, json!({"session": first})).code, -32012, "{method}");
    }

    eventually("it to go on beyond the grace", || {
        let attempts = house.session(first)?["revocation"]["attempts"].as_u64()?;
        (attempts >= 8).then_some(())
    });
    let listed = house.session(first).unwrap();
    assert_eq!(listed["revocation"]["reason"], "shutdown", "{listed}");
    assert!(listed["revocation"]["last_error"].is_string(), "{listed}");
    assert_eq!(house.logout(first, "100ms")["state"], "revoking");
    assert_eq!(house.call("session.retry", json!({}))["sessions"].as_array().unwrap().len(), 3);
    assert_eq!(house.call("session.history", json!({}))["sessions"], json!([]));
    let (given_up, lost_for_good) = &held[2];
    house.call("session.forget", json!({"session": given_up}));
    assert_eq!(house.eventually_ended(given_up)["outcome"], "forgotten");

    house.simulator.set_fault(None);
    assert_eq!(house.wait_for_end(PATIENCE).code(), Some(78));
    assert!(!house.fate(token).alive);
    let truth = house.simulator.truth();
    assert_eq!(truth.alive(), [lost_for_good.as_str(), brought.as_str()]);
    assert_eq!((truth.logins_ok, truth.logins_refused), (0, 0));
    assert!(house.records().is_empty());
    house.assert_no_leak();
}

#[test]
fn a_locked_keyring_is_waited_for() {
    let (mut house, held) = House::left_alone(Plan::default(), 2);
    spoil(&house);
    house.set_keyring_fault(Some("locked"));
    house.start();
    let error = eventually("the keyring's word", || {
        let session = house.session(&held[0].0)?;
        session["revocation"]["last_error"].as_str().map(str::to_owned)
    });
    assert!(error.contains("locked"), "{error}");
    let refused = house.refused("session.token", json!({"session": held[0].0}));
    assert_eq!(refused.code, -32012, "{refused:?}");
    house.set_keyring_fault(None);
    house.call("session.retry", json!({}));
    assert_eq!(house.wait_for_end(PATIENCE).code(), Some(78));
    assert_eq!(house.simulator.truth().alive(), [""; 0]);
    assert!(house.records().is_empty() && house.secrets() == 0);
}

#[test]
fn a_keyring_that_locks_before_it_is_cleared_up_is_waited_for() {
    let (mut house, _) = House::left_alone(Plan::default(), 1);
    spoil(&house);
    house.simulator.set_fault(Some(Fault::Down));
    house.start();
    eventually("an attempt in vain", || {
        house.sessions()[0]["revocation"]["last_error"].is_string().then_some(())
    });
    house.set_keyring_fault(Some("locked"));
    house.simulator.set_fault(None);
    house.eventually_true("its end", |truth| truth.alive().is_empty());
    eventually("the history", || {
        let history = house.call("session.history", json!({}));
        (history["sessions"].as_array()?.len() == 1).then_some(())
    });
    // It stands there at once, and its record is being written still.
    eventually("its record", || (house.records().len() == 1).then_some(()));
    assert_eq!(house.secrets(), 1);
    house.set_keyring_fault(None);
    // It looks again after 30 s at most.
    assert_eq!(house.wait_for_end(PATIENCE * 2).code(), Some(78));
    assert!(house.records().is_empty() && house.secrets() == 0);
}

#[test]
fn lost_ones_keep_nobody_from_ending() {
    for words in [&[][..], &["--drain"]] {
        let (mut house, held) = House::left_alone(Plan::default(), 2);
        let (lost, alive) = &held[0];
        house.lose(lost);
        spoil(&house);
        let ended = house.run_daemon(words);
        let expected = if words.is_empty() { 78 } else { 0 };
        assert_eq!(ended.status.code(), Some(expected), "{words:?}: {}", told(&ended));
        let about = said(&ended).into_iter().filter(|line| line.contains(lost.as_str()));
        assert_eq!(about.count(), 1, "{words:?}: {}", told(&ended));
        assert_eq!(house.simulator.truth().alive(), [alive.as_str()], "{words:?}");
        assert_eq!(house.records().len(), 1, "{words:?}");
        mend(&house);
        house.start();
        eventually("the lost one", || (house.state(lost) == "lost").then_some(()));
    }
}

#[test]
fn a_damaged_record_is_drained_as_well() {
    for (words, code) in [(&[][..], 78), (&["--drain"], 0)] {
        let (house, held) = House::left_alone(Plan::default(), 1);
        let path = house.records().remove(0);
        fs::write(&path, "{").unwrap();
        // What is told of its instance is read where it can be: the CA file stands only there.
        spoil(&house);
        let ended = house.run_daemon(words);
        assert_eq!(ended.status.code(), Some(code), "{}", told(&ended));
        assert!(!house.fate(&held[0].1).alive, "{words:?}");
        assert_eq!((house.records().len(), house.secrets()), (0, 0), "{words:?}");
    }
}

#[test]
fn a_damaged_record_is_not_taken_for_nothing() {
    for fault in ["locked", "hang"] {
        let (mut house, held) = House::left_alone(Plan::default(), 1);
        let (id, token) = &held[0];
        fs::write(house.records().remove(0), "{").unwrap();
        house.set_keyring_fault(Some(fault));
        // The first one sets it aside.
        for _ in 0..2 {
            let (ended, took) = timed(|| house.run_daemon(&["--drain", "--timeout", "500ms"]));
            assert_eq!(ended.status.code(), Some(75), "{fault}: {}", told(&ended));
            assert!(said(&ended).iter().any(|line| line.contains(id.as_str())), "{fault}");
            assert!(took < AT_ONCE, "{fault}: {took:?}");
        }
        house.set_keyring_fault(None);
        house.start();
        assert_eq!(house.eventually_ended(id)["reason"], "orphan", "{fault}");
        assert!(!house.fate(token).alive, "{fault}");
    }
}

#[test]
fn a_stop_ends_it_with_its_grace() {
    let revocation = vec![("shutdown_grace", "1s")];
    let (mut house, held) = House::left_alone(Plan { revocation, ..Plan::default() }, 2);
    spoil(&house);
    house.simulator.set_fault(Some(Fault::Down));
    for by_socket in [false, true] {
        house.start();
        let (status, took) = timed(|| {
            if by_socket {
                // What is under revocation cannot be kept.
                let answer = house.call("daemon.stop", json!({"keep": true}));
                assert_eq!(answer, json!({"keep": false}));
                house.wait_for_end(PATIENCE)
            } else {
                house.terminate()
            }
        });
        assert_eq!(status.code(), Some(78), "{by_socket}");
        assert!(took >= Duration::from_millis(900), "{by_socket}: {took:?}");
        assert!(took < Duration::from_secs(1) + AT_ONCE, "{by_socket}: {took:?}");
        for (id, _) in &held {
            // Beside them may be what it was just writing.
            assert!(house.records().iter().any(|path| path.ends_with(format!("{id}.json"))));
        }
    }
    mend(&house);
    house.simulator.set_fault(None);
    house.start();
    for (id, _) in held {
        assert_eq!(house.eventually_ended(&id)["reason"], "shutdown");
    }
}

#[test]
fn asked_twice_it_ends_at_once() {
    let revocation = vec![("shutdown_grace", "60s")];
    let (mut house, _) = House::left_alone(Plan { revocation, ..Plan::default() }, 1);
    spoil(&house);
    house.simulator.set_fault(Some(Fault::Down));
    house.start();
    house.signal(Signal::TERM);
    house.signal(Signal::INT);
    let (status, took) = timed(|| house.wait_for_end(PATIENCE));
    assert_eq!(status.code(), Some(78));
    assert!(took < AT_ONCE, "{took:?}");
}

#[test]
fn without_a_socket_it_drains_all_the_same() {
    let (house, _) = House::left_alone(Plan::default(), 2);
    spoil(&house);
    fs::remove_file(house.socket()).unwrap();
    fs::write(house.socket(), "somebody's notes").unwrap();
    let ended = house.run_daemon(&[]);
    assert_eq!(ended.status.code(), Some(78), "{}", told(&ended));
    assert!(told(&ended).contains("is no socket"), "{}", told(&ended));
    assert_eq!(house.simulator.truth().alive(), [""; 0]);
}

#[test]
fn beside_a_daemon_that_runs_a_bad_config_does_nothing() {
    let house = House::open(Plan::default());
    let (id, token) = house.add_one();
    spoil(&house);
    let ended = house.run_daemon(&[]);
    assert_eq!(ended.status.code(), Some(78), "{}", told(&ended));
    assert_eq!(house.token(&id), token);
}

#[test]
fn drain_with_a_bad_config() {
    for (spoil, word) in SPOILT {
        let (house, _) = House::left_alone(Plan::default(), 3);
        spoil(&house);
        let ended = house.run_daemon(&["--drain"]);
        assert_eq!(ended.status.code(), Some(0), "{word}: {}", told(&ended));
        assert!(said(&ended)[0].contains(word), "{word}: {}", told(&ended));
        assert_eq!(house.simulator.truth().alive(), [""; 0], "{word}");
    }
    let (house, _) = House::left_alone(Plan::default(), 1);
    spoil(&house);
    house.simulator.set_fault(Some(Fault::Down));
    assert_eq!(house.run_daemon(&["--drain", "--timeout", "300ms"]).status.code(), Some(75));
}
