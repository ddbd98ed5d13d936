//! What counts as lost: a keyring that is there, unlocked, and does not have it. With a real
//! gnome-keyring and an empty one in its place, and with one that is unlocked while it is looked at.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::Duration;

use securid_tests::{Fickle, House, Plan, SecretService, eventually, within};
use serde_json::json;

/// A store that came back is noticed within the longest wait between two errands (30 s).
const NOTICED: Duration = Duration::from_secs(40);

fn open() -> Option<House> {
    House::with_gnome_keyring(Plan { keyring: "secret-service", ..Plan::default() })
}

fn service(house: &mut House) -> &mut SecretService {
    house.secret_service.as_mut().unwrap()
}

/// Reachable, unlocked, and without a single item of ours: that is the one case of "lost". What the
/// daemon has in its memory can be revoked all the same.
#[test]
fn replaced_by_an_empty_one() {
    let Some(mut house) = open() else { return };
    let (live, _) = house.add_one();
    let (asked, other) = house.add_one();
    let (kept, token) = house.add_one();
    service(&mut house).replace("another");
    assert_eq!(house.secrets(), 0);
    assert_eq!(house.call("daemon.status", json!({}))["keyring"]["state"], "ready");
    assert_eq!(house.token(&kept), token, "what is lent is in memory");
    let done = house.ctl(&["logout", &live]);
    assert_eq!(done.status.code(), Some(0), "{done:?}");
    eventually("its record to go", || (house.records().len() == 2).then_some(()));
    let made = house.login();
    assert_eq!(house.secrets(), 1);

    house.kill_9();
    house.start();
    for id in [&asked, &kept] {
        eventually("it to be missed", || (house.state(id) == "lost").then_some(()));
        assert_eq!(house.refused("session.token", json!({"session": id})).code, -32001);
    }
    assert_eq!(house.state(&made), "active");
    let status = house.ctl(&["status"]);
    assert_eq!(status.status.code(), Some(1), "{status:?}");
    let told = house.ctl(&["logout", &asked]);
    assert_eq!(told.status.code(), Some(1), "{told:?}");
    let stderr = String::from_utf8_lossy(&told.stderr);
    assert!(stderr.contains("lost and could not be revoked"), "{told:?}");
    assert_eq!(house.logout(&made, "10s")["outcome"], "revoked");
    assert_eq!(house.simulator.truth().alive(), [other.as_str(), token.as_str()]);

    // Nothing of the lost ones was given up: with their own keyring, all goes on.
    service(&mut house).replace("");
    house.call("session.retry", json!({}));
    assert_eq!(house.eventually_ended(&asked)["outcome"], "revoked");
    eventually("the other to be found", || (house.state(&kept) == "active").then_some(()));
    assert_eq!(house.token(&kept), token);
    assert_eq!(house.logout(&kept, "10s")["outcome"], "revoked");
    assert_eq!(house.simulator.truth().alive(), [""; 0]);
    // Here the first one's secret is still, for it was deleted where it never was: found at a start,
    // and the server's word for it is had.
    house.kill_9();
    house.start();
    house.eventually_empty();
}

/// A stop revokes from memory what an empty keyring does not have.
#[test]
fn a_stop_after_it_was_replaced_by_an_empty_one() {
    let Some(mut house) = open() else { return };
    house.add_many(3);
    service(&mut house).replace("another");
    assert!(house.terminate().success());
    assert_eq!(house.simulator.truth().alive(), [""; 0]);
    assert_eq!(house.records().len(), 0);
    service(&mut house).replace("");
    house.start();
    // Their secrets are still here, as above.
    house.eventually_empty();
}

#[test]
fn unlocked_in_the_middle_of_a_look() {
    let Some(mut house) = open() else { return };
    let (id, token) = house.add_one();
    house.kill_9();
    service(&mut house).stop();
    let fickle = Fickle::start(service(&mut house));
    house.start();
    // More than one look takes.
    eventually("another look at it", || {
        assert_eq!(house.state(&id), "active");
        (fickle.searches() >= 4).then_some(())
    });
    drop(fickle);

    service(&mut house).start();
    let lent = within(NOTICED, "the token", || {
        house.try_call("session.token", json!({"session": id})).ok()
    });
    assert_eq!(lent["token"], token.as_str());
    assert!(!house.log().contains("gone from the keyring"), "nothing was lost");
    assert_eq!(house.logout(&id, "10s")["outcome"], "revoked");
    house.eventually_empty();
}
