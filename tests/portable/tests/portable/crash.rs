//! A daemon that is killed, and a machine that is booted anew, lose nothing that was acknowledged.

use securid_portable_tests::{House, code, eventually, stdout};
use securid_simulator::Fault;
use serde_json::json;

#[test]
fn active_sessions_go_on_within_the_boot() {
    let (mut house, held) = House::left_alone(5);
    assert_eq!(code(&house.ctl(&["list"])), 69, "there is no daemon");
    assert_eq!(code(&house.ctl(&["logout"])), 69, "there are records");
    house.start();
    for (id, token) in &held {
        assert_eq!(stdout(&house.ctl(&["token", id])), format!("{token}\n"));
    }
    assert_eq!(house.simulator.truth().alive().len(), 5);
    assert_eq!(code(&house.ctl(&["logout"])), 0);
    house.assert_all_is_over();
    house.assert_no_leak(&[]);
}

#[test]
fn a_reboot_ends_what_was_active() {
    let (mut house, held) = House::left_alone(3);
    house.reboot();
    house.start();
    for (id, _) in &held {
        assert_eq!(house.eventually_ended(id)["reason"], "shutdown");
    }
    house.assert_all_is_over();
}

#[test]
fn a_server_that_is_down_at_logout() {
    let mut house = House::open("");
    let (id, token) = house.add();
    house.simulator.set_fault(Some(Fault::Down));
    let pending = house.ctl(&["logout", "--timeout", "500ms"]);
    assert_eq!(code(&pending), 75, "{pending:?}");
    assert_eq!(code(&house.ctl(&["token", &id])), 1, "it is under revocation");
    house.kill();
    house.start();
    eventually("an attempt in vain", || {
        let session = house.sessions().into_iter().next()?;
        (session["state"] == "revoking" && session["revocation"]["attempts"] != json!(0))
            .then_some(())
    });
    assert!(house.fate(&token).alive);
    house.simulator.set_fault(None);
    assert_eq!(code(&house.ctl(&["retry"])), 0);
    assert_eq!(code(&house.ctl(&["logout", &id])), 0);
    assert!(!house.fate(&token).alive);
    house.assert_all_is_over();
}

#[test]
fn killed_again_and_again_while_sessions_come_and_go() {
    let mut house = House::open("");
    let mut told = Vec::new();
    for round in 0..4 {
        let (id, _) = house.add();
        told.push(house.add());
        if round % 2 == 1 {
            house.simulator.set_fault(Some(Fault::ReplyLost));
        }
        let asked = house.client().call("session.logout", json!({"sessions": [id]}));
        assert!(asked.is_ok(), "{asked:?}");
        house.kill();
        house.simulator.set_fault(None);
        house.start();
        assert_eq!(house.eventually_ended(&id)["reason"], "request");
    }
    for (id, token) in &told {
        assert_eq!(house.call("session.token", json!({"session": id}))["token"], json!(token));
    }
    assert_eq!(code(&house.ctl(&["logout"])), 0);
    house.assert_all_is_over();
}
