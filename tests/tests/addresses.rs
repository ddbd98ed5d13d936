//! The addresses of a server: of both families, written out or behind a name, some of them dead.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::net::Ipv6Addr;
use std::time::Duration;

use securid_simulator::{Options, Simulator};
use securid_tests::{DEAD, House, Network, PASSWORD, Plan, SITE, timed};
use serde_json::json;

/// An address that does not answer costs a quarter of a second; the rest is for a busy machine.
const SOON: Duration = Duration::from_millis(2500);

#[test]
fn an_ipv6_address_may_stand_in_the_url() {
    let mut house = House::build(Plan::default());
    let address = Ipv6Addr::LOCALHOST.into();
    let simulator = Simulator::start(Options { address, ..Options::default() }).unwrap();
    let url = simulator.url().replace("localhost", "[::1]");
    house.change_config(house.simulator.url(), &url);
    fs::write(house.path("ca.pem"), simulator.ca_pem()).unwrap();
    house.simulator = simulator;
    house.start();
    let id = house.login();
    assert_eq!(house.session(&id).unwrap()["url"], format!("{url}/command.submit"));
    assert_eq!(house.logout(&id, "10s")["outcome"], "revoked");
}

/// A laptop whose server is at these addresses.
fn at(addresses: &[&str]) -> Option<(Network, House)> {
    let network = Network::lay()?;
    let plan = Plan { revocation: vec![("attempt_timeout", "10s")], ..Plan::default() };
    let mut house = House::build(plan);
    network.move_server(&mut house);
    network.route(true);
    network.resolve(&house, addresses);
    let command = network.on_laptop(&house.daemon_command());
    house.start_with(command);
    Some((network, house))
}

#[test]
fn dead_addresses_before_the_live_one_hardly_hold_it_up() {
    for addresses in [
        &[DEAD[0], SITE[0]][..],
        &[DEAD[1], SITE[0]],
        &[DEAD[0], SITE[1]],
        &[DEAD[1], SITE[1]],
        &[DEAD[0], DEAD[1], SITE[0]],
    ] {
        let Some((_network, house)) = at(addresses) else { return };
        let (id, took) = timed(|| house.login());
        assert!(took < SOON, "{addresses:?}: {took:?}");
        // On a connection of its own once more.
        let (ended, took) = timed(|| house.logout(&id, "10s"));
        assert_eq!(ended["outcome"], "revoked", "{addresses:?}");
        assert!(took < SOON, "{addresses:?}: {took:?}");
    }
}

#[test]
fn dead_addresses_alone_are_told() {
    let Some((network, house)) = at(&DEAD) else { return };
    let refused = house.refused("session.login", json!({"password": PASSWORD}));
    assert_eq!(refused.code, -32006, "{refused:?}");
    for words in ["did not take the connection within 5s", DEAD[0], DEAD[1]] {
        assert!(refused.message.contains(words), "{words}: {refused:?}");
    }
    // Each for a reason of its own.
    network.run("ip -6 route del 2001:db8:7::/64");
    let refused = house.refused("session.login", json!({"password": PASSWORD}));
    let words = [
        format!("{} did not answer within 5s", DEAD[0]),
        format!("{}: Network is unreachable", DEAD[1]),
    ];
    for words in words {
        assert!(refused.message.contains(&words), "{words}: {refused:?}");
    }
}
