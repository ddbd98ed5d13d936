//! `securid-ctl setup` on Windows: a first config, and a daemon from every log-on on.
//!
//! It is for a user's own places, of which there is one set: pipe and registry are as the user's daemon has them. So none may
//! run, and what stood in the registry comes back.

use std::process::{Command, Output};
use std::time::Duration;

use securid_portable_tests::{House, PASSWORD, code, eventually, run, stdout, system};
use securid_simulator::Fault;
use windows_registry::CURRENT_USER;

const KEY: &str = r"Software\Microsoft\Windows\CurrentVersion\Run";
const NAME: &str = "securid-sessiond";

/// How long a command may take: a removal revokes everything.
const COMMAND: Duration = Duration::from_secs(60);

/// What is run at log-on; as it was before, in the end.
struct AtLogOn(Option<String>);

impl AtLogOn {
    fn put_aside() -> Self {
        let before = Self(value());
        write(None);
        before
    }
}

impl Drop for AtLogOn {
    fn drop(&mut self) {
        write(self.0.as_deref());
    }
}

fn value() -> Option<String> {
    CURRENT_USER.open(KEY).and_then(|key| key.get_string(NAME)).ok()
}

fn write(value: Option<&str>) {
    let key = CURRENT_USER.create(KEY).unwrap();
    match value {
        Some(value) => key.set_string(NAME, value).unwrap(),
        // It may be none already.
        None => drop(key.remove_value(NAME)),
    }
}

/// `securid-ctl` for the user's own places, which are in the house.
fn own(house: &House, words: &[&str], input: &str) -> Output {
    let mut command = Command::new(house.ctl_command().get_program());
    house.furnish(&mut command);
    command.args(words);
    run(command, input, COMMAND)
}

fn setup(house: &House) -> Output {
    let (url, ca_file) = (house.simulator.url(), house.path("ca.pem"));
    let instance = ["--instance", "prod", "--username", "alice"];
    let words = ["setup", "--url", url, "--ca-file", ca_file.to_str().unwrap()];
    own(house, &[&words[..], &instance].concat(), "")
}

fn log_in(house: &House) {
    let taken = own(house, &["login", "--password-stdin"], PASSWORD);
    assert_eq!(code(&taken), 0, "{taken:?}");
}

#[test]
fn from_nothing_to_a_daemon_at_every_log_on_and_back() {
    let house = House::build("");
    assert_eq!(code(&own(&house, &["list"], "")), 69, "a daemon of this user's runs already");
    let _before = AtLogOn::put_aside();
    let config = &system::places(house.folder()).config[2];
    let shown = own(&house, &["setup", "--print", "--url", "https://gl.example.com/aveksa"], "");
    assert_eq!((code(&shown), value(), config.exists()), (0, None, false), "{shown:?}");

    let done = setup(&house);
    assert_eq!(code(&done), 0, "{done:?}");
    assert!(config.is_file());
    let program = std::path::absolute(house.ctl_command().get_program()).unwrap();
    let command = format!("\"{}\" start", program.display());
    assert_eq!(value(), Some(command));
    log_in(&house);
    let again = setup(&house);
    assert_eq!(code(&again), 0, "{again:?}");
    assert_eq!(stdout(&again).matches("up to date").count(), 2, "{again:?}");

    // A log-off, and a log-on.
    assert_eq!(code(&own(&house, &["stop"], "")), 0);
    assert_eq!(house.simulator.truth().alive(), [""; 0]);
    let line = value().unwrap();
    let (program, words) = line.strip_prefix('"').unwrap().split_once("\" ").unwrap();
    let mut at_log_on = Command::new(program);
    house.furnish(&mut at_log_on);
    at_log_on.args(words.split(' '));
    let started = run(at_log_on, "", COMMAND);
    assert_eq!(code(&started), 0, "{started:?}");
    log_in(&house);
    // It is not held up by a daemon that was started in it.
    let started_in = house.path("started in");
    assert_eq!(code(&own(&house, &["stop"], "")), 0);
    std::fs::create_dir(&started_in).unwrap();
    let mut start = Command::new(house.ctl_command().get_program());
    house.furnish(&mut start);
    start.arg("start").current_dir(&started_in);
    assert_eq!(code(&run(start, "", COMMAND)), 0);
    std::fs::remove_dir(&started_in).unwrap();
    log_in(&house);

    house.simulator.set_fault(Some(Fault::Down));
    let pending = own(&house, &["setup", "--remove"], "");
    assert_eq!(code(&pending), 75, "{pending:?}");
    assert!(value().is_some() && config.exists(), "{pending:?}");
    assert_eq!(code(&own(&house, &["status"], "")), 0, "it goes on with it");
    house.simulator.set_fault(None);

    let removed = own(&house, &["setup", "--remove"], "");
    assert_eq!(code(&removed), 0, "{removed:?}");
    assert_eq!((value(), config.exists()), (None, false), "{removed:?}");
    assert_eq!(house.simulator.truth().alive(), [""; 0]);
    assert_eq!(house.simulator.truth().logins_ok, 3);
    let state_dir = system::places(house.folder()).state_dir;
    assert_eq!(system::secrets(house.folder(), &state_dir), 0);
    assert_eq!(code(&own(&house, &["list"], "")), 69);
    let twice = own(&house, &["setup", "--remove"], "");
    assert_eq!(code(&twice), 0, "{twice:?}");
}

#[test]
fn what_a_person_has_written_stays() {
    let house = House::build("");
    assert_eq!(code(&own(&house, &["list"], "")), 69, "a daemon of this user's runs already");
    let _before = AtLogOn::put_aside();
    let mine = "cmd /c my-own-way.cmd";
    write(Some(mine));
    let config = &system::places(house.folder()).config[2];
    std::fs::create_dir(config.parent().unwrap()).unwrap();
    std::fs::write(config, "# mine\n").unwrap();
    let done = setup(&house);
    assert_eq!(code(&done), 0, "{done:?}");
    let removed = own(&house, &["setup", "--remove"], "");
    assert_eq!(code(&removed), 0, "{removed:?}");
    assert_eq!(value().as_deref(), Some(mine));
    assert_eq!(std::fs::read_to_string(config).unwrap(), "# mine\n");
}

#[test]
fn a_bad_config_does_not_keep_it_from_being_removed() {
    let house = House::build("");
    assert_eq!(code(&own(&house, &["list"], "")), 69, "a daemon of this user's runs already");
    let _before = AtLogOn::put_aside();
    assert_eq!(code(&setup(&house)), 0);
    log_in(&house);
    assert_eq!(code(&own(&house, &["stop", "--keep"], "")), 0);
    let config = &system::places(house.folder()).config[2];
    let good = std::fs::read_to_string(config).unwrap();
    std::fs::write(config, format!("{good}nonsense = 1\n")).unwrap();
    // It drains for that, as long as something is recorded; so it may be there, or not any more.
    let _ = own(&house, &["start"], "");
    let removed = own(&house, &["setup", "--remove"], "");
    assert_eq!(code(&removed), 0, "{removed:?}");
    assert_eq!(value(), None);
    assert_eq!(house.simulator.truth().alive(), [""; 0]);
    eventually("the daemon to go", || (code(&own(&house, &["list"], "")) == 69).then_some(()));
    std::fs::remove_file(config).unwrap();
}
