//! Networks that come and go: what could not be revoked goes out when the way to its server appears, and a
//! network that changes all the time makes no storm of attempts.
//!
//! The schedule is set so far apart that it cannot be what revokes.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::thread::sleep;
use std::time::Duration;

use securid_tests::{DEAD, House, Network, Plan, SITE, Signal, within};

/// How soon after a change what waits is tried: it settles for 1 s, attempts are spread over 10 s, and one
/// that was out has 5 s to connect. The rest is for a busy machine.
const SOON: Duration = Duration::from_secs(30);

/// So many sessions that their schedule, which draws waits of up to ten days, cannot revoke them all by chance.
const SESSIONS: usize = 4;

/// Sessions: their ids and tokens.
type Held = Vec<(String, String)>;

/// A laptop with a daemon and sessions, at a site that it can reach.
fn connected() -> Option<(Network, House, Held)> {
    let network = Network::lay()?;
    let mut house = House::build(Plan {
        revocation: vec![
            ("retry_initial", "240h"),
            ("retry_max", "240h"),
            ("shutdown_grace", "1s"),
        ],
        ..Plan::default()
    });
    network.move_server(&mut house);
    network.route(true);
    let command = network.on_laptop(&house.daemon_command());
    house.start_with(command);
    let mut held = house.add_many(SESSIONS - 1);
    let id = house.login();
    let token = house.token(&id);
    held.push((id, token));
    Some((network, house, held))
}

/// Asks for the end of all of them; the server cannot be reached.
fn log_out_in_vain(house: &House, held: &[(String, String)]) {
    let ids: Vec<&str> = held.iter().map(|(id, _)| id.as_str()).collect();
    let output = house.ctl(&[&["logout", "--timeout", "1s"], &ids[..]].concat());
    assert_eq!(output.status.code(), Some(75), "{output:?}");
    within(SOON, "all attempts to fail", || {
        held.iter().all(|(id, _)| attempts(house, id) == 1).then_some(())
    });
}

fn attempts(house: &House, id: &str) -> u64 {
    house.session(id).unwrap()["revocation"]["attempts"].as_u64().unwrap()
}

fn eventually_revoked(house: &House, held: &[(String, String)]) {
    let dead = |(_, token): &(String, String)| !house.fate(token).alive;
    within(SOON, "all of them to be dead", || held.iter().all(dead).then_some(()));
    for (id, token) in held {
        assert_eq!(house.eventually_ended(id)["outcome"], "revoked");
        assert_eq!(house.fate(token).logout_requests, 1);
    }
}

#[test]
fn a_route_that_appears_is_noticed() {
    let Some((network, house, held)) = connected() else { return };
    network.route(false);
    log_out_in_vain(&house, &held);
    sleep(Duration::from_secs(2));
    assert!(held.iter().all(|(id, _)| attempts(&house, id) == 1), "tried, and nothing has changed");
    network.route(true);
    eventually_revoked(&house, &held);
    house.eventually_empty();
}

#[test]
fn a_link_that_comes_back_is_noticed() {
    let Some((network, house, held)) = connected() else { return };
    network.link(false);
    log_out_in_vain(&house, &held);
    network.link(true);
    network.route(true);
    eventually_revoked(&house, &held);
}

/// A site that swallows what is sent to it lets attempts hang: one that began before the change fails after it.
#[test]
fn a_change_during_an_attempt_counts_as_well() {
    let Some((network, mut house, held)) = connected() else { return };
    // No connection may be left that is kept open.
    house.signal(Signal::KILL);
    house.wait_for_end(SOON);
    house.change_config("attempt_timeout = \"1s\"", "attempt_timeout = \"8s\"");
    network.resolve(&house, &DEAD[..1]);
    let command = network.on_laptop(&house.daemon_command());
    house.start_with(command);
    let mut client = house.client();
    client.send("session.logout", serde_json::json!({"all": true}));
    within(SOON, "intents", || {
        held.iter().all(|(id, _)| house.state(id) == "revoking").then_some(())
    });
    sleep(Duration::from_millis(500));
    assert!(held.iter().all(|(id, _)| attempts(&house, id) == 0), "the attempts are out");
    network.resolve(&house, &SITE);
    network.run("ip addr add 198.51.100.77/24 dev vpn");
    eventually_revoked(&house, &held);
}

#[test]
fn a_network_that_flaps_makes_no_storm() {
    let Some((network, house, held)) = connected() else { return };
    network.route(false);
    log_out_in_vain(&house, &held);
    for _ in 0..10 {
        network.run("ip route add 192.0.2.0/24 via 198.51.100.2");
        sleep(Duration::from_millis(400));
        network.run("ip route del 192.0.2.0/24");
        sleep(Duration::from_millis(400));
    }
    sleep(Duration::from_secs(5));
    let made: Vec<u64> = held.iter().map(|(id, _)| attempts(&house, id)).collect();
    // The first, one for each change that counts at once, and for what the minute brought.
    assert!(made.iter().all(|made| (2..=7).contains(made)), "{made:?}");
    assert!(held.iter().all(|(_, token)| house.fate(token).alive));
}

/// A connection that is kept from one logout for the next says nothing when its network goes.
#[test]
fn a_network_that_has_gone_fails_an_attempt_on_a_kept_connection() {
    let Some((network, house, held)) = connected() else { return };
    house.change_config("attempt_timeout = \"1s\"", "attempt_timeout = \"1h\"");
    assert!(house.ctl(&["reload"]).status.success());
    assert_eq!(house.logout(&held[0].0, "10s")["outcome"], "revoked");
    network.route(false);
    let output = house.ctl(&["logout", "--timeout", "100ms", &held[1].0]);
    assert_eq!(output.status.code(), Some(75), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("no answer yet"), "{output:?}");
    let ended = || {
        Some(house.session(&held[1].0)?["revocation"]["last_error"].clone())
            .filter(|it| !it.is_null())
    };
    let error = within(SOON, "the end of the attempt", ended);
    assert!(error.as_str().unwrap().contains("was lost before an answer came"), "{error}");
}

/// Who has been answered is not asked again because the network changes.
#[test]
fn a_server_that_answers_is_left_alone() {
    let Some((network, house, held)) = connected() else { return };
    house.simulator.set_fault(Some(securid_simulator::Fault::Status(503)));
    log_out_in_vain(&house, &held);
    network.run("ip route add 192.0.2.0/24 via 198.51.100.2");
    sleep(Duration::from_secs(8));
    assert!(held.iter().all(|(id, _)| attempts(&house, id) == 1), "they were tried again");
}
