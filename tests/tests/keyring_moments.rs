//! A real gnome-keyring that fails at a bad moment: while a login is under way, or between two,
//! or while the daemon starts or stops.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::thread;
use std::time::Duration;

use securid_simulator::Fault;
use securid_tests::{House, PASSWORD, Plan, SecretService, eventually, timed, within};
use serde_json::json;

/// A store that came back is noticed within the longest wait between two errands (30 s).
const NOTICED: Duration = Duration::from_secs(40);

/// What "at once" is on a loaded machine; less than the keyring's 5 s.
const AT_ONCE: Duration = Duration::from_secs(2);

/// The house's `shutdown_grace` of 5 s, and what a loaded machine adds.
const STOPPED: Duration = Duration::from_millis(6500);

fn open() -> Option<House> {
    House::with_gnome_keyring(Plan { keyring: "secret-service", ..Plan::default() })
}

fn service(house: &mut House) -> &mut SecretService {
    house.secret_service.as_mut().unwrap()
}

/// It was ready when it was asked, and is not any more when the server has made a token.
fn fails_after_the_look(
    begin: impl FnOnce(&mut SecretService),
    end: impl FnOnce(&mut SecretService),
    word: &str,
) {
    let Some(mut house) = open() else { return };
    let (held, token) = house.add_one();
    // The token is made at once, the reply takes its time.
    let late = Fault::Delay(Duration::from_millis(700));
    house.simulator.set_fault_for("loginUser", Some(late));
    let mut service = house.secret_service.take().unwrap();
    let told = thread::scope(|scope| {
        let login = scope.spawn(|| house.ctl_with(&["login", "--password-stdin"], PASSWORD));
        house.eventually_true("the token", |truth| truth.logins_ok == 1);
        begin(&mut service);
        login.join().unwrap()
    });
    assert_eq!(told.status.code(), Some(74), "{told:?}");
    assert!(String::from_utf8_lossy(&told.stderr).contains(word), "{told:?}");
    house.eventually_true("its end", |truth| truth.alive() == [token.as_str()]);
    assert_eq!(house.token(&held), token);
    eventually("it to leave the list", || (house.sessions().len() == 1).then_some(()));
    assert_eq!(house.state(&held), "active");

    end(&mut service);
    house.secret_service = Some(service);
    within(NOTICED, "nothing to be left of it", || {
        house.secret_service.as_mut().unwrap().revive();
        (house.records().len() == 1 && house.secrets() == 1).then_some(())
    });
    assert_eq!(house.simulator.truth().logins_ok, 1);
    assert_eq!(house.logout(&held, "10s")["outcome"], "revoked");
    house.eventually_empty();
}

#[test]
fn locked_while_a_login_is_under_way() {
    fails_after_the_look(|service| service.lock(), |service| service.unlock(), "locked");
}

#[test]
fn killed_while_a_login_is_under_way() {
    fails_after_the_look(SecretService::stop, SecretService::start, "unavailable");
}

#[test]
fn frozen_while_a_login_is_under_way() {
    fails_after_the_look(|s| s.freeze(), |s| s.thaw(), "does not answer");
}

#[test]
fn frozen_with_its_bus_while_a_login_is_under_way() {
    fails_after_the_look(|s| s.freeze_bus(), |s| s.thaw_bus(), "does not answer");
}

/// Nobody was asking for it when it was not there, so nobody knows.
#[test]
fn restarted_between_two_logins() {
    let Some(mut house) = open() else { return };
    let first = house.login();
    service(&mut house).stop();
    service(&mut house).start();
    let second = house.login();
    assert_eq!((house.simulator.truth().logins_ok, house.secrets()), (2, 2));
    for id in [first, second] {
        assert_eq!(house.logout(&id, "10s")["outcome"], "revoked");
    }
    house.eventually_empty();
}

/// What a stop cannot read is kept, and the stop does not wait for it.
fn a_stop_that_cannot_read(
    begin: impl FnOnce(&mut SecretService),
    end: impl FnOnce(&mut SecretService),
    limit: Duration,
) {
    let Some(mut house) = open() else { return };
    let held = house.add_many(2);
    house.kill_9();
    begin(service(&mut house));
    house.start();
    let (status, took) = timed(|| house.terminate());
    assert!(status.success(), "{status}");
    assert!(took < limit, "{took:?}");
    assert_eq!((house.simulator.truth().alive().len(), house.records().len()), (2, 2));
    end(service(&mut house));
    house.start();
    for (id, _) in &held {
        let line = within(NOTICED, "the end that the stop wanted", || {
            service(&mut house).revive();
            house.ended(id)
        });
        assert_eq!((&line["reason"], &line["outcome"]), (&json!("shutdown"), &json!("revoked")));
    }
    assert_eq!(house.simulator.truth().alive(), [""; 0]);
    house.eventually_empty();
}

#[test]
fn a_stop_while_it_is_locked() {
    a_stop_that_cannot_read(|service| service.lock(), |service| service.unlock(), AT_ONCE);
}

#[test]
fn a_stop_while_it_is_frozen() {
    a_stop_that_cannot_read(|service| service.freeze(), |service| service.thaw(), STOPPED);
}

#[test]
fn a_stop_while_it_is_absent() {
    a_stop_that_cannot_read(SecretService::stop, SecretService::start, AT_ONCE);
}

/// What is in memory needs neither keyring nor bus to be revoked; the secrets of the dead are cleared
/// up later.
#[test]
fn a_stop_while_its_bus_is_frozen() {
    let Some(mut house) = open() else { return };
    house.add_many(20);
    service(&mut house).freeze_bus();
    let (status, took) = timed(|| house.terminate());
    assert!(status.success(), "{status}");
    assert!(took < STOPPED, "{took:?}");
    assert_eq!(house.simulator.truth().alive(), [""; 0]);
    service(&mut house).thaw_bus();
    house.start();
    house.eventually_empty();
}

/// As at a login to the desktop: the daemon looks for its secrets while the keyring comes up.
#[test]
fn both_start_at_once() {
    let Some(mut house) = open() else { return };
    let held = house.add_many(3);
    for _ in 0..4 {
        house.kill_9();
        let mut service = house.secret_service.take().unwrap();
        service.stop();
        thread::scope(|scope| {
            scope.spawn(|| service.start());
            house.start();
        });
        house.secret_service = Some(service);
        for (id, token) in &held {
            let lent = within(NOTICED, "the token", || {
                assert_eq!(house.state(id), "active");
                house.try_call("session.token", json!({"session": id})).ok()
            });
            assert_eq!(lent["token"], token.as_str());
        }
    }
    house.call("session.logout", json!({"all": true, "wait": "10s"}));
    assert_eq!(house.simulator.truth().alive(), [""; 0]);
    house.eventually_empty();
}
