//! What is refused, with the exit codes of the contract and in words.

use securid_portable_tests::{House, PASSWORD, code, run, stderr};
use securid_simulator::Fault;
use serde_json::Value;

#[test]
fn a_second_daemon() {
    let mut house = House::open("");
    let (id, token) = house.add();
    let second = house.run_daemon(&[]);
    assert_eq!(code(&second), 1, "{}", stderr(&second));
    assert!(stderr(&second).contains("securid-sessiond: "), "{}", stderr(&second));
    // Another state folder, but the same endpoint.
    let elsewhere = house.path("elsewhere");
    let third = house.run_daemon(&["--state-dir", elsewhere.to_str().unwrap()]);
    assert_ne!(code(&third), 0, "{}", stderr(&third));
    let mut command = house.ctl_command();
    command.args(["list"]);
    assert_eq!(code(&run(command, "", securid_portable_tests::PATIENCE)), 0);
    assert!(house.daemon().ended().is_none() && house.fate(&token).alive);
    assert_eq!(code(&house.ctl(&["logout", &id])), 0);
    house.assert_all_is_over();
}

#[test]
fn bad_configs() {
    let house = House::build("");
    for (text, words) in [
        ("surprise = 1\n", ":1: surprise"),
        ("keyring = \"pocket\"\n", ":1: keyring"),
        ("[instances.prod]\nurl = \"http://igl.example/aveksa\"\n", ":2: instances.prod.url"),
        (
            "[instances.prod]\nurl = \"https://igl.example/aveksa\"\nca_file = \"ca.pem\"\n",
            ":3: instances.prod.ca_file",
        ),
    ] {
        house.write_config(text);
        for arguments in [&["--check-config"][..], &[]] {
            let refused = house.run_daemon(arguments);
            assert_eq!(code(&refused), 78, "{text:?}: {}", stderr(&refused));
            assert!(stderr(&refused).contains(words), "{text:?}: {}", stderr(&refused));
        }
        assert_eq!(code(&house.ctl(&["start"])), 78, "{text:?}");
    }
    assert_eq!(house.records(), 0);
}

#[test]
fn what_is_not_there() {
    let mut house = House::build("");
    let nothing = house.ctl(&["logout"]);
    assert_eq!(code(&nothing), 0, "neither daemon nor records: {nothing:?}");
    for words in [&["list"][..], &["status"], &["token"], &["check"], &["stop"]] {
        let refused = house.ctl(words);
        assert_eq!(code(&refused), 69, "{words:?}: {refused:?}");
    }
    assert_eq!(code(&house.ctl(&["no-such-command"])), 2);
    assert_eq!(code(&house.run_daemon(&["--no-such-flag"])), 2);
    house.start();
    assert_eq!(code(&house.ctl(&["token"])), 66);
    assert_eq!(code(&house.ctl_with(&["login", "no", "--password-stdin"], PASSWORD)), 78);
    house.simulator.set_fault(Some(Fault::Down));
    let unreachable = house.ctl_with(&["login", "--password-stdin", "--json"], PASSWORD);
    assert_eq!(code(&unreachable), 68, "{unreachable:?}");
    let error: Value = serde_json::from_slice(&unreachable.stderr).unwrap();
    assert_eq!(error["error"]["code"], "server-unreachable", "{error}");
    assert_eq!(house.simulator.truth().tokens.len(), 0);
}

#[test]
fn a_server_that_cannot_be_trusted() {
    let mut house = House::build("");
    let ours = securid_simulator::Simulator::start(securid_simulator::Options::default()).unwrap();
    std::fs::write(house.path("ca.pem"), ours.ca_pem()).unwrap();
    house.start();
    let refused = house.ctl_with(&["login", "--password-stdin"], PASSWORD);
    assert_eq!(code(&refused), 68, "{refused:?}");
    assert_eq!(house.simulator.truth().logins_ok, 0);
    house.assert_no_leak(&[&refused]);
}
