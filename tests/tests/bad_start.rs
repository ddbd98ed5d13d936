//! Starts that go wrong: bad configs, second daemons, foreign folders, foreign and broken records.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::PathBuf;

use securid_tests::patience::{is_installed, is_root};
use securid_tests::{House, Plan, eventually, skipped};
use serde_json::{Value, json};

/// A config, where its fault is as `LINE: KEY`, and a word of what is wrong with it.
type Bad = (&'static str, &'static str, &'static str);

const URL: &str = "url = \"https://igl.example/aveksa\"";

const BAD: [Bad; 22] = [
    ("idle_timeout =\n[instances.prod]\nURL", ":1: ", ""),
    ("[instances.prod]\nURL\nURL", ":3: ", "duplicate"),
    ("surprise = 1\n[instances.prod]\nURL", ":1: surprise: ", "no such key"),
    ("[instances.prod]\nURL\ntimeout = \"1s\"", ":3: instances.prod.timeout: ", "no such key"),
    (
        "[revocation]\nretry = \"1s\"\n[instances.prod]\nURL",
        ":2: revocation.retry: ",
        "no such key",
    ),
    ("idle_timeout = \"soon\"\n[instances.prod]\nURL", ":1: idle_timeout: ", "soon"),
    ("idle_timeout = 15\n[instances.prod]\nURL", ":1: idle_timeout: ", "in quotes"),
    ("idle_timeout = \"0s\"\n[instances.prod]\nURL", ":1: idle_timeout: ", "no time"),
    ("max_lifetime = \"8 hours\"\n[instances.prod]\nURL", ":1: max_lifetime: ", "not a duration"),
    (
        "[revocation]\n\nretry_max = \"never\"\n[instances.prod]\nURL",
        ":3: revocation.retry_max: ",
        "never",
    ),
    ("[revocation]\nconcurrency = 0\n[instances.prod]\nURL", ":2: revocation.concurrency: ", "256"),
    ("on_exit = \"stay\"\n[instances.prod]\nURL", ":1: on_exit: ", "keep"),
    ("keyring = \"pocket\"\n[instances.prod]\nURL", ":1: keyring: ", "pocket"),
    ("require_durable = \"yes\"\n[instances.prod]\nURL", ":1: require_durable: ", "true or false"),
    ("default_instance = \"test\"\n[instances.prod]\nURL", ":1: default_instance: ", "test"),
    ("[instances.prod]\nurl = \"igl.example\"", ":2: instances.prod.url: ", "https"),
    ("[instances.prod]\nurl = \"ftp://igl.example/aveksa\"", ":2: instances.prod.url: ", "http"),
    (
        "[instances.prod]\nurl = \"http://igl.example/aveksa\"",
        ":2: instances.prod.url: ",
        "loopback",
    ),
    ("[instances.prod]\nurl = \"https://a:b@igl.example/aveksa\"", ":2: instances.prod.url: ", ""),
    ("[instances.prod]\nusername = \"alice\"", ":1: instances.prod.url: ", "missing"),
    ("[instances.prod]\nURL\nformat = \"xml\"", ":3: instances.prod.format: ", "properties"),
    ("[instances.prod]\nURL\nca_file = \"ca.pem\"", ":3: instances.prod.ca_file: ", "relative"),
];

#[test]
fn bad_configs() {
    let house = House::build(Plan::default());
    let mut failed = Vec::new();
    for (text, place, word) in BAD {
        house.write_config(&text.replace("URL", URL));
        let expected = format!("{}{place}", house.config().display());
        let checked = house.run_daemon(&["--check-config"]);
        let told = String::from_utf8_lossy(&checked.stderr).into_owned();
        let code = checked.status.code();
        if code != Some(78) || !told.contains(&expected) || !told.contains(word) {
            failed.push(format!("{text:?}: {code:?}: {told}"));
            continue;
        }
        let started = house.run_daemon(&[]);
        assert_eq!(started.status.code(), Some(78), "{text:?}");
        assert_eq!(String::from_utf8_lossy(&started.stderr), told, "{text:?}");
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert!(!house.socket().exists());
}

#[test]
fn every_fault_is_told_and_a_good_config_is_good() {
    let house = House::build(Plan::default());
    let good = house.run_daemon(&["--check-config"]);
    assert_eq!(good.status.code(), Some(0), "{good:?}");
    house.change_config("keyring = \"test\"", "keyring = \"test\"\nsurprise = 1");
    house.change_config("[instances.prod]", "[instances.prod]\nformat_ = 7");
    let bad = house.run_daemon(&["--check-config"]);
    let told = String::from_utf8_lossy(&bad.stderr).into_owned();
    assert!(told.contains("surprise") && told.contains("format_"), "{told}");
    fs::remove_file(house.config()).unwrap();
    let none = house.run_daemon(&["--check-config"]);
    assert_eq!(none.status.code(), Some(78));
    let told = String::from_utf8_lossy(&none.stderr).into_owned();
    assert!(told.contains(&*house.config().to_string_lossy()), "{told}");
}

#[test]
fn certificates_are_looked_at_by_a_check_and_missed_by_a_login() {
    let mut house = House::build(Plan::default());
    let good = house.path("ca.pem").to_string_lossy().into_owned();
    for (file, word) in [("/no/such/file.pem", "No such file"), ("/etc/hostname", "certificate")] {
        house.change_config(&good, file);
        let checked = house.run_daemon(&["--check-config"]);
        let told = String::from_utf8_lossy(&checked.stderr).into_owned();
        assert_eq!(checked.status.code(), Some(78), "{told}");
        assert!(told.contains(": instances.prod.ca_file: ") && told.contains(word), "{told}");

        // Other instances' tokens wait for this daemon: it starts.
        house.start();
        let refused = house.refused("session.login", json!({"password": "p"}));
        assert_eq!(refused.code, -32006, "{refused:?}");
        assert!(refused.message.contains(file), "{refused:?}");
        house.terminate();
        house.change_config(file, &good);
    }
}

#[test]
fn no_config_at_all_but_flags() {
    // Without an instance there is nothing to log in to, and nothing wrong either.
    let mut house = House::build(Plan::default());
    house.write_config("keyring = \"test\"\n");
    house.start();
    assert_eq!(house.refused("session.login", json!({"password": "p"})).code, -32009);
    assert_eq!(house.call("session.logout", json!({"all": true})), json!({"sessions": []}));
}

#[test]
fn a_second_daemon_on_the_same_state_folder() {
    let house = House::open(Plan::default());
    let (id, token) = house.add_one();
    let second = house.run_daemon(&["--socket", &house.path("run/other.sock").to_string_lossy()]);
    let told = String::from_utf8_lossy(&second.stderr).into_owned();
    assert_eq!(second.status.code(), Some(1), "{told}");
    assert!(told.contains(&format!("process {}", house.pid())), "{told}");
    assert_eq!(house.token(&id), token);
    assert!(!house.path("run/other.sock").exists());
}

#[test]
fn a_second_daemon_on_the_same_socket() {
    let mut house = House::open(Plan::default());
    let (id, token) = house.add_one();
    let second = house.run_daemon(&["--state-dir", &house.path("disk/other").to_string_lossy()]);
    let told = String::from_utf8_lossy(&second.stderr).into_owned();
    assert_eq!(second.status.code(), Some(1), "{told}");
    assert!(told.contains("another daemon") && told.contains("sessiond.sock"), "{told}");
    assert_eq!(house.token(&id), token);
    assert!(house.terminate().success());
}

#[test]
fn a_stale_socket_is_reclaimed_and_a_file_is_not() {
    let mut house = House::open(Plan::default());
    house.kill_9();
    assert!(house.socket().exists());
    house.start();
    assert!(house.terminate().success());

    fs::write(house.socket(), "somebody's notes").unwrap();
    let refused = house.run_daemon(&[]);
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1), "{told}");
    assert!(told.contains("is no socket"), "{told}");
    assert_eq!(fs::read_to_string(house.socket()).unwrap(), "somebody's notes");
}

#[test]
fn folders_that_are_not_ours_alone() {
    let house = House::build(Plan::default());
    let state = house.state_dir();
    fs::create_dir(&state).unwrap();
    for (folder, mode) in
        [(&state, 0o777), (&state, 0o755), (&state, 0o750), (&house.path("run"), 0o755)]
    {
        fs::set_permissions(folder, Permissions::from_mode(mode)).unwrap();
        let refused = house.run_daemon(&[]);
        let told = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success(), "{mode:o}: {told}");
        assert!(told.contains(&*folder.to_string_lossy()), "{mode:o}: {told}");
        assert!(
            told.contains(&format!("mode {mode:o}")) || told.contains(&format!("mode {mode:04o}"))
        );
        fs::set_permissions(folder, Permissions::from_mode(0o700)).unwrap();
    }
    if !is_root() {
        return skipped("only root can give a folder away");
    }
    chown(&state, Some(12_345), None).unwrap();
    let refused = house.run_daemon(&[]);
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(74), "{told}");
    assert!(told.contains("12345"), "{told}");
}

#[test]
fn records_are_readable_by_their_user_alone() {
    let house = House::open(Plan::default());
    house.add_one();
    let mode = |path: &PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&house.state_dir()), 0o700);
    assert_eq!(mode(&house.state_dir().join("sessions")), 0o700);
    assert_eq!(mode(&house.records()[0]), 0o600);
    assert_eq!(mode(&house.socket()), 0o600);
}

#[test]
fn a_record_of_another_machine_or_a_newer_version_is_left_alone() {
    for (key, value) in [("machine", json!("of somebody else")), ("version", json!(99))] {
        let mut house = House::open(Plan::default());
        let (id, token) = house.add_one();
        house.kill_9();
        let path = house.records()[0].clone();
        let mut record: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        record[key] = value;
        let text = format!("{record:#}\n");
        fs::write(&path, &text).unwrap();
        house.start();
        let status = house.call("daemon.status", json!({}));
        let problems = status["problems"].to_string();
        assert!(problems.contains(&*path.to_string_lossy()), "{key}: {problems}");
        assert_eq!(house.state(&id), "gone", "{key}");
        house.call("session.logout", json!({"all": true, "wait": "5s"}));
        assert!(house.terminate().success());
        assert_eq!(fs::read_to_string(&path).unwrap(), text, "{key}");
        assert!(house.fate(&token).alive, "{key}: whose it is sees to it");
        assert_eq!(house.secrets(), 1, "{key}");
    }
}

#[test]
fn a_damaged_record_is_set_aside_and_its_token_revoked() {
    damaged("test");
}

/// The kernel's keyring cannot be searched, but asked for a name.
#[test]
fn a_damaged_record_on_the_kernels_keyring_too() {
    if is_installed("keyctl") {
        damaged("keyutils");
    }
}

/// The daemon that set it aside was killed before it had found the secret.
#[test]
fn a_record_that_was_set_aside_is_not_forgotten() {
    for keyring in ["test", "keyutils"] {
        if keyring == "keyutils" && !is_installed("keyctl") {
            return;
        }
        let mut house = House::open(Plan { keyring, ..Plan::default() });
        let (id, token) = house.add_one();
        house.kill_9();
        let aside = house.state_dir().join("damaged");
        fs::create_dir(&aside).unwrap();
        fs::set_permissions(&aside, Permissions::from_mode(0o700)).unwrap();
        fs::rename(house.records().remove(0), aside.join(format!("{id}.json.1"))).unwrap();
        house.start();
        assert_eq!(house.eventually_ended(&id)["reason"], "orphan", "{keyring}");
        assert!(!house.fate(&token).alive, "{keyring}");
        eventually("its secret to go", || (house.secrets() == 0).then_some(()));
    }
}

fn damaged(keyring: &'static str) {
    for cut in [0, 100] {
        let mut house = House::open(Plan { keyring, ..Plan::default() });
        let (id, token) = house.add_one();
        let (good, other) = house.add_one();
        house.kill_9();
        let path = house.state_dir().join(format!("sessions/{id}.json"));
        let mut bytes = fs::read(&path).unwrap();
        bytes.truncate(cut);
        fs::write(&path, &bytes).unwrap();
        house.start();
        let status = house.call("daemon.status", json!({}));
        let aside = house.state_dir().join(format!("damaged/{id}.json"));
        assert_eq!(fs::read(&aside).unwrap(), bytes);
        let problems = status["problems"].to_string();
        assert!(problems.contains(&*aside.to_string_lossy()), "{problems}");
        assert_eq!(house.eventually_ended(&id)["reason"], "orphan");
        assert!(!house.fate(&token).alive);
        assert_eq!(house.token(&good), other);
        eventually("only its secret", || (house.secrets() == 1).then_some(()));
    }
}
