//! A token goes to its own origin with its own TLS settings, whatever becomes of the config.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::path::{Path, PathBuf};

use securid_simulator::{Fault, Options, Simulator};
use securid_tests::{House, Plan, eventually};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// A name, and what is done to the one instance, `prod`, of a house; `Elsewhere` is another server.
type Edit = (&'static str, fn(&House, &Elsewhere));

const EDITS: [Edit; 6] = [
    ("url", |house, elsewhere| {
        house.change_config(house.simulator.url(), elsewhere.server.url());
    }),
    ("url and ca_file", |house, elsewhere| elsewhere.take_the_place(house)),
    ("ca_file", |house, elsewhere| {
        house.change_config(&text(&house.path("ca.pem")), &text(&elsewhere.ca_file));
    }),
    ("renamed", |house, _| house.change_config("[instances.prod]", "[instances.other]")),
    ("removed", |house, _| {
        let config = fs::read_to_string(house.config()).unwrap();
        house.write_config(config.split_once("[instances.prod]").unwrap().0);
    }),
    ("renamed, and another one in its place", |house, elsewhere| {
        house.change_config("[instances.prod]", "[instances.other]");
        let config = fs::read_to_string(house.config()).unwrap();
        let (url, ca_file) = (elsewhere.server.url(), text(&elsewhere.ca_file));
        let prod = format!(
            "[instances.prod]\nurl = \"{url}\"\nca_file = \"{ca_file}\"\nformat = \"json\"\n"
        );
        house.write_config(&format!("{config}\n{prod}"));
    }),
];

/// Another server, which is to see nothing of the house's tokens.
struct Elsewhere {
    server: Simulator,
    ca_file: PathBuf,
}

impl Elsewhere {
    fn beside(house: &House) -> Self {
        let server = Simulator::start(Options::default()).unwrap();
        let ca_file = house.path("elsewhere.pem");
        fs::write(&ca_file, server.ca_pem()).unwrap();
        Self { server, ca_file }
    }

    /// The config's instance is this server from now on.
    fn take_the_place(&self, house: &House) {
        house.change_config(house.simulator.url(), self.server.url());
        house.change_config(&text(&house.path("ca.pem")), &text(&self.ca_file));
    }

    fn has_seen_nothing(&self, when: &str) {
        let truth = self.server.truth();
        assert_eq!((truth.connections, truth.tokens.len()), (0, 0), "{when}: {truth:?}");
    }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// The whole endpoint of a server.
fn endpoint(server: &Simulator) -> String {
    format!("{}/command.submit", server.url())
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Restart {
    /// None: the daemon runs with the config that it read.
    Not,
    Kept,
    Crashed,
    Rebooted,
}

impl Restart {
    const ALL: [Self; 4] = [Self::Not, Self::Kept, Self::Crashed, Self::Rebooted];

    fn of(self, house: &mut House) {
        match self {
            Self::Not => return,
            Self::Kept => assert!(house.terminate_keeping().success()),
            Self::Crashed => house.kill_9(),
            Self::Rebooted => {
                house.kill_9();
                house.reboot();
            }
        }
        house.start();
    }
}

#[test]
fn live_tokens() {
    for (edit, change) in EDITS {
        for restart in Restart::ALL {
            let when = format!("{edit}, {restart:?}");
            let mut house = House::open(Plan::default());
            let elsewhere = Elsewhere::beside(&house);
            let (made, (brought, token)) = (house.login(), house.add_one());
            change(&house, &elsewhere);
            restart.of(&mut house);
            if restart != Restart::Rebooted {
                for id in [&made, &brought] {
                    shows_its_own(&house, id, &when);
                }
                let lent = house.call("session.token", json!({"session": brought}));
                assert_eq!(lent["token"], json!(token), "{when}");
                assert_eq!(lent["url"], json!(endpoint(&house.simulator)), "{when}");
                for id in [&made, &brought] {
                    assert_eq!(house.logout(id, "10s")["outcome"], "revoked", "{when}");
                }
            }
            for id in [&made, &brought] {
                let line = house.eventually_ended(id);
                assert_eq!(line["url"], json!(endpoint(&house.simulator)), "{when}");
                assert_eq!((&line["outcome"], &line["attempts"]), (&json!("revoked"), &json!(1)));
            }
            assert_eq!(house.simulator.truth().alive(), [""; 0], "{when}");
            elsewhere.has_seen_nothing(&when);
        }
    }
}

#[test]
fn pending_tokens() {
    for (edit, change) in EDITS {
        for restart in Restart::ALL {
            let when = format!("{edit}, {restart:?}");
            let mut house = House::open(Plan::default());
            let elsewhere = Elsewhere::beside(&house);
            let (id, token) = house.add_one();
            house.simulator.set_fault(Some(Fault::Down));
            assert_eq!(house.logout(&id, "100ms")["state"], "revoking", "{when}");
            change(&house, &elsewhere);
            restart.of(&mut house);
            shows_its_own(&house, &id, &when);
            eventually("an attempt in vain", || {
                house.session(&id)?["revocation"]["last_error"].is_string().then_some(())
            });
            house.simulator.set_fault(None);
            assert_eq!(house.eventually_ended(&id)["outcome"], "revoked", "{when}");
            assert!(!house.fate(&token).alive, "{when}");
            elsewhere.has_seen_nothing(&when);
        }
    }
}

fn shows_its_own(house: &House, id: &str, when: &str) {
    let session = house.session(id).unwrap_or_else(|| panic!("{when}: {id} is not listed"));
    let own = (json!("prod"), json!(endpoint(&house.simulator)));
    assert_eq!((&session["instance"], &session["url"]), (&own.0, &own.1), "{when}");
}

#[test]
fn a_new_instance_of_an_old_name_lives_beside_the_old_sessions() {
    let mut house = House::open(Plan::default());
    let elsewhere = Elsewhere::beside(&house);
    let (old, token) = house.add_one();
    assert!(house.terminate_keeping().success());
    elsewhere.take_the_place(&house);
    house.start();

    let made = house.login();
    let brought = elsewhere.server.issue("alice");
    let taken = house.call("session.add", json!({"instance": "prod", "token": brought}));
    let added = taken["id"].as_str().unwrap();
    for id in [made.as_str(), added] {
        let session = house.session(id).unwrap();
        assert_eq!(session["instance"], "prod");
        assert_eq!(session["url"], json!(endpoint(&elsewhere.server)));
    }
    shows_its_own(&house, &old, "beside a new one");
    assert_eq!(house.token(&old), token);

    // The name means all of them; each goes to its own server.
    let view = house.call("session.logout", json!({"sessions": ["prod"], "wait": "10s"}));
    let ended: Vec<&Value> = view["sessions"].as_array().unwrap().iter().collect();
    assert_eq!(ended.len(), 3, "{view}");
    assert!(ended.iter().all(|item| item["outcome"] == "revoked"), "{view}");
    for truth in [house.simulator.truth(), elsewhere.server.truth()] {
        assert_eq!(truth.alive(), [""; 0]);
        assert_eq!((truth.logouts_of_unknown_tokens, truth.requests_refused), (0, 0), "{truth:?}");
    }
}

#[test]
fn a_login_replaces_only_what_is_at_the_same_server() {
    let mut house = House::open(Plan::default());
    let elsewhere = Elsewhere::beside(&house);
    let (old, token) = house.add_one();
    assert!(house.terminate_keeping().success());
    elsewhere.take_the_place(&house);
    house.start();
    let replaced = house.login();
    let password = securid_tests::PASSWORD;
    house.call("session.login", json!({"password": password, "replace": true}));
    assert_eq!(house.eventually_ended(&replaced)["reason"], "replaced");
    assert_eq!(house.state(&old), "active");
    assert!(house.fate(&token).alive);
}

#[test]
fn how_another_server_of_the_name_answers_is_not_told_of_this_one() {
    let mut house = House::open(Plan::default());
    let elsewhere = Elsewhere::beside(&house);
    let (id, _) = house.add_one();
    assert!(house.terminate_keeping().success());
    elsewhere.take_the_place(&house);
    house.start();
    house.simulator.set_fault(Some(Fault::Down));
    assert_eq!(house.logout(&id, "300ms")["state"], "revoking");
    let instance = || house.call("daemon.status", json!({}))["instances"][0].clone();
    assert_eq!(instance()["url"], json!(endpoint(&elsewhere.server)));
    assert_eq!(instance()["last_contact"], Value::Null);
    house.login();
    assert_eq!(instance()["last_contact"]["ok"], true);
}

#[test]
fn a_ca_file_that_is_moved_strands_no_token() {
    let mut house = House::open(Plan::default());
    let (id, token) = house.add_one();
    house.kill_9();
    fs::rename(house.path("ca.pem"), house.path("moved.pem")).unwrap();
    house.start();
    let item = house.logout(&id, "300ms");
    assert_eq!(item["state"], "revoking");
    assert!(item["last_error"].as_str().unwrap().contains("ca.pem"), "{item}");

    // The next daemon's config knows where it is now, and the URL is the same.
    house.kill_9();
    house.change_config("ca.pem", "moved.pem");
    house.start();
    assert_eq!(house.eventually_ended(&id)["outcome"], "revoked");
    assert!(!house.fate(&token).alive);
}

#[test]
fn a_ca_file_that_is_gone_is_not_replaced_by_another_servers() {
    let mut house = House::open(Plan::default());
    let elsewhere = Elsewhere::beside(&house);
    let (id, token) = house.add_one();
    house.kill_9();
    let good = fs::read(house.path("ca.pem")).unwrap();
    elsewhere.take_the_place(&house);
    for trusted in [None, Some(elsewhere.server.ca_pem())] {
        match trusted {
            None => fs::remove_file(house.path("ca.pem")).unwrap(),
            Some(other) => fs::write(house.path("ca.pem"), other).unwrap(),
        }
        house.start();
        let item = house.logout(&id, "300ms");
        assert_eq!(item["state"], "revoking", "{trusted:?}: {item}");
        assert!(item["last_error"].is_string(), "{trusted:?}: {item}");
        assert_eq!(house.fate(&token).logout_requests, 0, "{trusted:?}");
        house.kill_9();
    }
    elsewhere.has_seen_nothing("gone");
    fs::write(house.path("ca.pem"), good).unwrap();
    house.start();
    assert_eq!(house.eventually_ended(&id)["outcome"], "revoked");
    elsewhere.has_seen_nothing("back");
}

#[test]
fn another_server_at_the_same_address_gets_no_token() {
    let house = House::open(Plan::default());
    let (id, token) = house.add_one();
    house.simulator.set_fault(Some(Fault::Down));
    let port = house.simulator.url().rsplit(':').next().unwrap();
    let port = port.split('/').next().unwrap().parse().unwrap();
    let impostor =
        eventually("its port", || Simulator::start(Options { port, ..Options::default() }).ok());
    let item = house.logout(&id, "1s");
    assert_eq!(item["state"], "revoking", "{item}");
    assert!(item["last_error"].as_str().unwrap().contains("certificate"), "{item}");
    let truth = impostor.truth();
    assert!(truth.connections > 0, "it was not asked at all");
    assert_eq!((truth.logout_requests, truth.requests_refused), (0, 0), "{truth:?}");
    assert!(house.fate(&token).alive);
}

/// Somebody, or a disk, has changed where the record says that the token belongs.
#[test]
fn a_record_of_another_origin_than_its_entry() {
    not_used_nor_sent(|house, id, elsewhere| {
        let path = house.records().remove(0);
        let mut record: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        assert_eq!(record["id"], json!(id));
        record["origin"]["url"] = json!(endpoint(&elsewhere.server));
        record["origin"]["ca_file"] = json!(elsewhere.ca_file);
        fs::write(&path, format!("{record:#}\n")).unwrap();
    });
}

#[test]
fn an_entry_of_another_origin_than_its_record() {
    not_used_nor_sent(|house, id, elsewhere| {
        let files = fs::read_dir(house.path("store")).unwrap().map(|file| file.unwrap().path());
        let path = files.filter(|path| text(path).ends_with(id)).last().unwrap();
        let entry = fs::read_to_string(&path).unwrap();
        let mut lines: Vec<&str> = entry.splitn(6, '\n').collect();
        let origin = endpoint(&elsewhere.server);
        assert_eq!(lines[3], endpoint(&house.simulator));
        lines[3] = &origin;
        let head = format!("{}\n", lines[..4].join("\n"));
        let hash = Sha256::new().chain_update(&head).chain_update(lines[5]).finalize();
        let check: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        fs::write(&path, format!("{head}{check}\n{}", lines[5])).unwrap();
    });
}

fn not_used_nor_sent(forge: fn(&House, &str, &Elsewhere)) {
    for pending in [false, true] {
        let mut house = House::open(Plan::default());
        let elsewhere = Elsewhere::beside(&house);
        let (id, token) = house.add_one();
        house.simulator.set_fault(Some(Fault::Down));
        if pending {
            house.logout(&id, "100ms");
        }
        house.kill_9();
        forge(&house, &id, &elsewhere);
        house.simulator.set_fault(None);
        house.start();

        let word = "is recorded for";
        if !pending {
            let refused = house.refused("session.token", json!({"session": id}));
            assert_eq!(refused.code, -32005, "{refused:?}");
            assert!(refused.message.contains(word), "{refused:?}");
            assert!(refused.data["hint"].is_string(), "{refused:?}");
            assert_eq!(house.state(&id), "active");
        }
        let problems = eventually("the problem", || {
            let problems = house.call("daemon.status", json!({}))["problems"].to_string();
            problems.contains(word).then_some(problems)
        });
        assert!(problems.contains(&endpoint(&elsewhere.server)), "{problems}");
        let item = house.logout(&id, "500ms");
        assert_eq!(item["state"], "revoking", "{item}");
        assert!(item["last_error"].as_str().unwrap().contains(word), "{item}");
        house.call("session.retry", json!({"sessions": [id]}));
        let listed = house.session(&id).expect("it is listed");
        assert_eq!(listed["state"], "revoking", "{listed}");
        assert!(listed["revocation"]["last_error"].as_str().unwrap().contains(word), "{listed}");
        if !pending {
            assert_eq!(listed["revocation"]["attempts"], 0, "{listed}");
        }
        elsewhere.has_seen_nothing("forged");
        let fate = house.fate(&token);
        assert_eq!((fate.alive, fate.logout_requests, fate.other_requests), (true, 0, 0));

        house.call("session.forget", json!({"session": id}));
        assert_eq!(house.eventually_ended(&id)["outcome"], "forgotten");
        house.eventually_empty();
        house.assert_no_leak();
    }
}
