//! TLS, keep-alive, and the handle itself.

use std::io::ErrorKind;
use std::net::TcpStream;

use securid_simulator::{Options, Simulator};

use crate::client::{Client, handshake, logout, port};

#[test]
fn tls_holds_for_each_name_of_loopback_and_no_other() {
    let simulator = Simulator::start(Options::default()).unwrap();
    let tcp = || TcpStream::connect(("127.0.0.1", port(simulator.url()))).unwrap();
    for name in ["localhost", "127.0.0.1", "::1"] {
        handshake(tcp(), simulator.ca_pem(), name).unwrap();
    }
    let other_name = handshake(tcp(), simulator.ca_pem(), "governance.example").unwrap_err();
    assert!(other_name.to_string().contains("not valid for name"), "{other_name}");

    let other = Simulator::start(Options::default()).unwrap();
    let other_ca = handshake(tcp(), other.ca_pem(), "localhost").unwrap_err();
    assert!(other_ca.to_string().contains("UnknownIssuer"), "{other_ca}");
}

#[test]
fn a_connection_serves_many_requests() {
    let simulator = Simulator::start(Options::default()).unwrap();
    assert!(simulator.url().starts_with("https://localhost:"));
    let mut client = Client::connect(&simulator).unwrap();
    for _ in 0..3 {
        let token = simulator.issue("alice");
        assert_eq!(client.ask(&logout("&format=json", &token)).unwrap().status, 200);
    }
    assert_eq!(simulator.truth().connections, 1);
}

#[test]
fn a_port_of_ones_own_is_kept_and_a_taken_one_refused() {
    let first = Simulator::start(Options { tls: false, ..Options::default() }).unwrap();
    let port = port(first.url());
    let taken = Simulator::start(Options { port, ..Options::default() });
    assert_eq!(taken.err().unwrap().kind(), ErrorKind::AddrInUse);
    assert_eq!(first.url(), format!("http://localhost:{port}/aveksa"));
    assert_eq!(first.ca_pem(), "");
}
