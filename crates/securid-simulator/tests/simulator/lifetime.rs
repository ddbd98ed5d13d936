//! Going down, coming back, and stopping.

use std::io::ErrorKind;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use securid_simulator::{Fault, Options, Simulator};

use crate::client::{Client, ask, is_torn_off, logout, port};

#[test]
fn down_refuses_connections_and_cuts_live_ones() {
    let simulator = Simulator::start(Options::default()).unwrap();
    let token = simulator.issue("alice");
    let mut idle = Client::connect(&simulator).unwrap();
    assert_eq!(idle.ask(&logout("", "unknown")).unwrap().status, 401);
    simulator.set_fault_for("logoutUser", Some(Fault::Hang));
    let mut busy = Client::connect(&simulator).unwrap();
    busy.send(&logout("", &token)).unwrap();
    assert!(simulator.wait_until(Duration::from_secs(10), |truth| truth.logout_requests == 2));
    simulator.set_fault_for("logoutUser", None);

    for _ in 0..3 {
        simulator.set_fault(Some(Fault::Down));
        let refused = Client::connect(&simulator).err().unwrap();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        for client in [&mut idle, &mut busy] {
            let error = client.raw(&mut [0]).unwrap_err();
            assert!(is_torn_off(error.kind()), "{error}");
        }
        simulator.set_fault(None);
        idle = Client::connect(&simulator).unwrap();
        busy = Client::connect(&simulator).unwrap();
    }
    assert_eq!(simulator.truth().alive(), [token.as_str()]);
    assert_eq!(idle.ask(&logout("", &token)).unwrap().status, 200);
}

#[test]
fn dropping_it_frees_the_port_and_ends_what_hangs() {
    let simulator = Simulator::start(Options::default()).unwrap();
    simulator.set_fault(Some(Fault::Hang));
    let mut hanging = Client::connect(&simulator).unwrap();
    hanging.send(&logout("", "any")).unwrap();
    assert!(simulator.wait_until(Duration::from_secs(10), |truth| truth.logout_requests == 1));
    let port = port(simulator.url());

    let started = Instant::now();
    drop(simulator);
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
    assert!(hanging.raw(&mut [0]).is_err());
    let refused = TcpStream::connect(("127.0.0.1", port)).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    let again = Simulator::start(Options { port, ..Options::default() }).unwrap();
    assert_eq!(ask(&again, &logout("", "any")).unwrap().status, 401);
}

#[test]
fn it_can_be_dropped_while_it_is_down() {
    let simulator = Simulator::start(Options::default()).unwrap();
    simulator.set_fault(Some(Fault::Down));
    let started = Instant::now();
    drop(simulator);
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
}

#[test]
fn waiting_for_what_does_not_come_ends() {
    let simulator = Simulator::start(Options { tls: false, ..Options::default() }).unwrap();
    assert!(!simulator.wait_until(Duration::from_millis(20), |truth| !truth.tokens.is_empty()));
    let _token = simulator.issue("alice");
    assert!(simulator.wait_until(Duration::ZERO, |truth| !truth.tokens.is_empty()));
}
