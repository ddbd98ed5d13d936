//! A real gnome-keyring: locked, frozen, absent, late. It loses nothing and hangs nobody.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::Duration;

use securid_tests::patience::is_installed;
use securid_tests::{House, PASSWORD, Plan, SecretService, eventually, timed, within};
use serde_json::json;

/// The contract's 5 s for a keyring, and what a loaded machine adds.
const ANSWERED: Duration = Duration::from_millis(6500);

/// What "at once" is on a loaded machine; less than the keyring's 5 s.
const AT_ONCE: Duration = Duration::from_secs(2);

/// A store that came back is noticed within the longest wait between two errands (30 s).
const NOTICED: Duration = Duration::from_secs(40);

fn open() -> Option<House> {
    House::with_gnome_keyring(Plan { keyring: "secret-service", ..Plan::default() })
}

fn service(house: &mut House) -> &mut SecretService {
    house.secret_service.as_mut().unwrap()
}

#[test]
fn locked_while_the_daemon_runs() {
    let Some(mut house) = open() else { return };
    not_ready(&mut house, |service| service.lock(), |service| service.unlock(), -32003);
}

#[test]
fn frozen_while_the_daemon_runs() {
    let Some(mut house) = open() else { return };
    not_ready(&mut house, |service| service.freeze(), |service| service.thaw(), -32004);
}

#[test]
fn absent_while_the_daemon_runs() {
    let Some(mut house) = open() else { return };
    not_ready(&mut house, |service| service.stop(), |service| service.start(), -32004);
}

fn not_ready(
    house: &mut House,
    begin: impl Fn(&mut SecretService),
    end: impl Fn(&mut SecretService),
    code: i64,
) {
    let (first, _) = house.add_one();
    let (second, other) = house.add_one();
    begin(service(house));
    for (method, params) in [
        ("session.add", json!({"token": "a-token"})),
        ("session.login", json!({"password": PASSWORD})),
    ] {
        let (refused, took) = timed(|| house.refused(method, params));
        assert_eq!(refused.code, code, "{method}: {refused:?}");
        assert!(took < ANSWERED, "{method}: {took:?}");
    }
    assert_eq!(house.simulator.truth().logins_ok, 0);
    let (item, took) = timed(|| house.logout(&first, "10s"));
    assert_eq!(item["outcome"], "revoked", "{item}");
    assert!(took < AT_ONCE, "logout: {took:?}");
    let (sessions, took) = timed(|| house.sessions());
    assert_eq!((sessions.len(), &sessions[0]["state"]), (1, &json!("active")));
    assert!(took < AT_ONCE, "list: {took:?}");
    let (status, took) = timed(|| house.call("daemon.status", json!({})));
    let state = if code == -32003 { "locked" } else { "unavailable" };
    assert_eq!(status["keyring"]["state"], state, "{status}");
    assert!(took < AT_ONCE, "status: {took:?}");

    end(service(house));
    within(NOTICED, "the secret to go", || {
        service(house).revive();
        (house.secrets() == 1).then_some(())
    });
    assert_eq!(house.token(&second), other);
    let third = within(NOTICED, "a login", || {
        house.try_call("session.login", json!({"password": PASSWORD})).ok()
    });
    assert_eq!(third["keyring"], "secret-service");
    house.call("session.logout", json!({"all": true, "wait": "10s"}));
    assert_eq!(house.simulator.truth().alive(), [""; 0]);
    house.eventually_empty();
}

#[test]
fn a_daemon_started_while_it_is_locked() {
    let Some(mut house) = open() else { return };
    let (kept, token) = house.add_one();
    let (ended, _) = house.add_one();
    house.kill_9();
    service(&mut house).lock();
    house.start();
    assert_eq!(house.sessions().iter().filter(|s| s["state"] == "active").count(), 2);
    let (refused, took) = timed(|| house.refused("session.token", json!({"session": kept})));
    assert_eq!(refused.code, -32003, "{refused:?}");
    assert!(took < ANSWERED, "token: {took:?}");
    assert_eq!(house.logout(&ended, "500ms")["state"], "revoking");
    service(&mut house).unlock();
    assert_eq!(within(NOTICED, "the logout", || house.ended(&ended))["outcome"], "revoked");
    let lent = within(NOTICED, "the token", || {
        house.try_call("session.token", json!({"session": kept})).ok()
    });
    assert_eq!(lent["token"], token.as_str());
}

#[test]
fn auto_before_the_secret_service_is_up() {
    if !is_installed("keyctl") {
        return;
    }
    let Some(mut house) = House::with_gnome_keyring(Plan { keyring: "auto", ..Plan::default() })
    else {
        return;
    };
    let (id, token) = house.add_one();
    assert_eq!(house.session(&id).unwrap()["keyring"], "secret-service");
    house.kill_9();
    service(&mut house).stop();
    house.start();
    assert_eq!(house.state(&id), "active");
    let (refused, took) = timed(|| house.refused("session.token", json!({"session": id})));
    assert_eq!(refused.code, -32004, "{refused:?}");
    assert!(took < ANSWERED, "token: {took:?}");

    // New ones go where they can, and stay there.
    let (meanwhile, other) = house.add_one();
    assert_eq!(house.session(&meanwhile).unwrap()["keyring"], "keyutils");
    service(&mut house).start();
    let lent = within(NOTICED, "the token", || {
        house.try_call("session.token", json!({"session": id})).ok()
    });
    assert_eq!(lent["token"], token.as_str());
    assert_eq!(house.token(&meanwhile), other);
    let (later, _) = house.add_one();
    assert_eq!(house.session(&later).unwrap()["keyring"], "secret-service");
    assert!(house.sessions().iter().all(|session| session["state"] == "active"));
    let view = house.call("session.logout", json!({"all": true, "wait": "10s"}));
    assert!(view["sessions"].as_array().unwrap().iter().all(|s| s["outcome"] == "revoked"));
    eventually("the records to go", || house.records().is_empty().then_some(()));
    assert_eq!(house.secret_service.as_ref().unwrap().items(), 0);
}

#[test]
fn no_bus_at_all() {
    let house = House::open(Plan { keyring: "secret-service", ..Plan::default() });
    let (refused, took) = timed(|| house.refused("session.login", json!({"password": PASSWORD})));
    assert_eq!(refused.code, -32004, "{refused:?}");
    assert!(refused.data["hint"].as_str().unwrap().contains("Secret Service"), "{refused:?}");
    assert!(took < AT_ONCE, "{took:?}");
    assert_eq!(house.simulator.truth().connections, 0);
}

#[test]
fn require_durable_refuses_the_kernels_keyring() {
    let top = "require_durable = true".to_owned();
    let house = House::open(Plan { keyring: "keyutils", top, ..Plan::default() });
    let refused = house.refused("session.login", json!({"password": PASSWORD}));
    assert_eq!(refused.code, -32004, "{refused:?}");
    assert!(refused.message.contains("reboot"), "{refused:?}");
    assert_eq!(house.simulator.truth().connections, 0);
}
