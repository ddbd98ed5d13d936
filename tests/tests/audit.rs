//! An auditor can follow every session from its beginning to its end, over crashes too; what he reads
//! agrees with what the server saw.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::os::unix::fs::PermissionsExt;

use securid_simulator::Fault;
use securid_tests::{House, PASSWORD, Plan, eventually};
use serde_json::json;

#[test]
fn added_lent_held_and_logged_out() {
    let house = House::audited(Plan::default());
    let (id, token) = house.add_one();
    house.token(&id);
    house.call("session.touch", json!({"session": id}));
    house.client().call("session.hold", json!({"session": id})).unwrap();
    assert_eq!(house.logout(&id, "10s")["outcome"], "revoked");
    let end = house.eventually_audited(&id, "confirmed");
    let expected = ["created", "lent", "lent", "revocation-asked", "attempt", "confirmed"];
    assert_eq!(house.events(&id), expected);
    let life = house.life(&id);
    for line in &life {
        assert_eq!(line["instance"], "prod", "{line}");
        let url = format!("{}/command.submit", house.simulator.url());
        assert_eq!(line["url"], url, "{line}");
        assert_eq!((&line["username"], &line["keyring"]), (&json!("alice"), &json!("test")));
        assert!(line["generation"].is_u64(), "{line}");
    }
    assert_eq!(life[0]["source"], "add");
    assert_eq!((&life[1]["how"], &life[2]["how"]), (&json!("token"), &json!("hold")));
    assert_eq!(life[3]["reason"], "request");
    assert!(life[4]["error"].is_null() && life[4]["evidence"].is_string(), "{}", life[4]);
    assert_eq!((&end["reason"], &end["outcome"]), (&json!("request"), &json!("revoked")));
    assert_eq!(end["attempts"], 1);
    assert_eq!(house.fate(&token).logout_requests, 1);
    let mode = fs::metadata(house.audit_file()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    house.assert_audited();
    house.eventually_empty();
}

/// Whoever is told of his session may rely on its being in the audit a moment later.
#[test]
fn logged_in_and_idle() {
    let house = House::audited(Plan { top: "idle_timeout = \"300ms\"".into(), ..Plan::default() });
    let id = house.login();
    let end = house.eventually_audited(&id, "confirmed");
    assert_eq!(house.life(&id)[0]["source"], "login");
    assert_eq!((&end["reason"], &end["outcome"]), (&json!("idle"), &json!("revoked")));
    house.assert_audited();
}

#[test]
fn dead_already() {
    let house = House::audited(Plan::default());
    let (id, token) = house.add_one();
    house.simulator.expire(&token);
    house.logout(&id, "10s");
    let end = house.eventually_audited(&id, "confirmed");
    assert_eq!(end["outcome"], "already-invalid");
    assert!(end["evidence"].as_str().unwrap().contains("invalid or expired"), "{end}");
    house.assert_audited();
}

#[test]
fn every_attempt_is_told() {
    let house = House::audited(Plan::default());
    let (id, token) = house.add_one();
    house.simulator.set_fault(Some(Fault::Status(503)));
    house.logout(&id, "100ms");
    eventually("three attempts", || (house.fate(&token).logout_requests >= 3).then_some(()));
    house.simulator.set_fault(None);
    let end = house.eventually_audited(&id, "confirmed");
    let life = house.life(&id);
    let attempts: Vec<_> = life.iter().filter(|line| line["event"] == "attempt").collect();
    assert_eq!(attempts.len(), house.fate(&token).logout_requests as usize);
    assert_eq!(end["attempts"], attempts.len());
    let (last, failed) = attempts.split_last().unwrap();
    assert!(last["error"].is_null(), "{last}");
    for (number, line) in failed.iter().enumerate() {
        assert!(line["error"].as_str().unwrap().contains("503"), "{line}");
        assert_eq!(line["attempts"], number + 1);
    }
    assert_eq!(life.iter().filter(|line| line["event"] == "revocation-asked").count(), 1);
    house.assert_audited();
}

#[test]
fn given_up_on_a_persons_word() {
    let house = House::audited(Plan::default());
    let (id, _) = house.add_one();
    house.simulator.set_fault(Some(Fault::Status(503)));
    house.logout(&id, "500ms");
    house.call("session.forget", json!({"session": id}));
    let end = house.eventually_audited(&id, "forgotten");
    assert_eq!((&end["reason"], &end["outcome"]), (&json!("request"), &json!("forgotten")));
    house.eventually_empty();
    assert_eq!(house.simulator.truth().alive().len(), 1);
    house.assert_audited();
}

/// The answer to an attempt that was out then comes behind the end, which is the last of that life all the same.
#[test]
fn given_up_while_an_attempt_is_out() {
    let mut house = House::audited(Plan::default());
    let (id, token) = house.add_one();
    // So that its secret, and with it the session, stays for as long.
    house.set_keyring_fault(Some("locked"));
    house.simulator.set_fault(Some(Fault::Hang));
    house.logout(&id, "1ms");
    eventually("an attempt", || (house.fate(&token).logout_requests > 0).then_some(()));
    house.call("session.forget", json!({"session": id}));
    house.eventually_audited(&id, "forgotten");
    eventually("the attempt's end", || {
        let status = house.call("daemon.status", json!({}));
        (!status["instances"][0]["last_contact"].is_null()).then_some(())
    });
    house.set_keyring_fault(None);
    house.eventually_empty();
    house.terminate();
    assert_eq!(house.events(&id), ["created", "revocation-asked", "forgotten"]);
    house.assert_audited();
}

#[test]
fn not_taken_in() {
    let house = House::audited(Plan::default());
    house.set_keyring_fault(Some("forget-writes"));
    house.refused("session.add", json!({"token": house.simulator.issue("alice")}));
    house.refused("session.login", json!({"password": PASSWORD}));
    house.eventually_true("the end of the login", |truth| truth.alive().len() == 1);
    let lives = eventually("both ends", || {
        let audit = house.audit();
        audit.iter().any(|line| line["event"] == "confirmed").then_some(audit)
    });
    let [add, login] = ["add", "login"].map(|source| {
        let began = lives.iter().find(|line| line["source"] == source).unwrap();
        assert!(began["error"].is_string(), "{began}");
        house.events(began["session"].as_str().unwrap())
    });
    assert_eq!(add, ["rejected"]);
    assert_eq!(login, ["rejected", "revocation-asked", "attempt", "confirmed"]);
    house.assert_audited();
}

#[test]
fn an_orphan() {
    let mut house = House::audited(Plan::default());
    let (id, _) = house.add_one();
    house.eventually_audited(&id, "created");
    house.kill_9();
    fs::remove_file(&house.records()[0]).unwrap();
    house.start();
    house.eventually_audited(&id, "confirmed");
    let expected = ["created", "found", "revocation-asked", "attempt", "confirmed"];
    assert_eq!(house.events(&id), expected);
    assert_eq!(house.life(&id)[2]["reason"], "orphan");
    house.assert_audited();
}

#[test]
fn lost_and_found_again() {
    let mut house = House::audited(Plan::default());
    let (back, _) = house.add_one();
    let (gone, _) = house.add_one();
    house.eventually_audited(&gone, "created");
    house.kill_9();
    let (store, elsewhere) = (house.path("store"), house.path("elsewhere"));
    fs::rename(&store, &elsewhere).unwrap();
    fs::create_dir(&store).unwrap();
    house.start();
    house.eventually_audited(&back, "lost");
    house.eventually_audited(&gone, "lost");
    house.call("session.forget", json!({"session": gone}));
    fs::remove_dir_all(&store).unwrap();
    fs::rename(&elsewhere, &store).unwrap();
    house.call("session.retry", json!({}));
    house.eventually_audited(&back, "found-again");
    house.logout(&back, "10s");
    house.eventually_audited(&back, "confirmed");
    assert_eq!(house.events(&gone), ["created", "resumed", "lost", "forgotten"]);
    let expected =
        ["created", "resumed", "lost", "found-again", "revocation-asked", "attempt", "confirmed"];
    assert_eq!(house.events(&back), expected);
    house.assert_audited();
}

#[test]
fn a_stop_that_keeps_them_and_one_that_does_not() {
    let mut house = House::audited(Plan::default());
    let (id, _) = house.add_one();
    assert!(house.terminate_keeping().success());
    assert_eq!(house.events(&id), ["created"]);
    house.start();
    assert!(house.terminate().success());
    // All of it is there when the daemon has ended.
    let expected = ["created", "resumed", "revocation-asked", "attempt", "confirmed"];
    assert_eq!(house.events(&id), expected);
    assert_eq!(house.life(&id)[2]["reason"], "shutdown");
    house.assert_audited();
}

/// Wherever a daemon dies: nothing of what the server saw has no end in the audit.
#[test]
fn killed_at_any_point_of_an_end() {
    let points = [
        "add.acknowledged#1",
        "logout.asked#1",
        "record-revoking.synced#1",
        "record-ended.written#1",
        "record-ended.synced#1",
        "history.synced#1",
        "record.removed#1",
    ];
    for point in points {
        let mut house = House::build(Plan::default());
        let key = format!("audit = {:?}\nkeyring = ", house.audit_file());
        house.change_config("keyring = ", &key);
        let mut command = house.daemon_command();
        command.env("SECURID_CRASH_AT", point);
        house.start_with(command);
        let token = house.simulator.issue("alice");
        let mut client = house.client();
        if let Some(Ok(session)) = client.call_until_gone("session.add", json!({"token": token})) {
            let one = json!({"sessions": [session["id"]]});
            let _ = house.client().call_until_gone("session.logout", one);
        }
        eventually(point, || house.has_ended().then_some(()));
        house.kill_9();
        house.start();
        house.call("session.logout", json!({"all": true, "wait": "10s"}));
        house.eventually_empty();
        assert!(house.terminate().success());
        assert!(!house.fate(&token).alive, "{point}");
        let audit = house.audit();
        assert!(audit.iter().any(|line| line["event"] == "confirmed"), "{point}: {audit:?}");
        house.assert_audited();
    }
}

#[test]
fn many_at_once_agree_with_the_server() {
    let mut house = House::audited(Plan::default());
    let held = house.add_many(100);
    house.call("session.logout", json!({"all": true}));
    // In the midst of it.
    house.kill_9();
    house.start();
    assert!(house.terminate().success());
    assert_eq!(house.simulator.truth().alive(), [""; 0]);
    for (id, _) in &held {
        assert!(house.events(id).contains(&"confirmed".to_owned()), "{:?}", house.life(id));
    }
    house.assert_audited();
}
