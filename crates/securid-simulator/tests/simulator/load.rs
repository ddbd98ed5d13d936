//! Many requests at once.

use std::thread;
use std::time::{Duration, Instant};

use securid_simulator::{Options, Simulator};

use crate::client::{Client, logout};

const CLIENTS: usize = 50;
const TOKENS_EACH: usize = 20;
const LATENCY: Duration = Duration::from_millis(50);

#[test]
fn concurrent_logouts_wait_for_the_latency_side_by_side() {
    let simulator = Simulator::start(Options { latency: LATENCY, ..Options::default() }).unwrap();
    let started = Instant::now();
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                let mut client = Client::connect(&simulator).unwrap();
                for _ in 0..TOKENS_EACH {
                    let token = simulator.issue("alice");
                    let reply = client.ask(&logout("&format=json", &token)).unwrap();
                    assert_eq!(reply.status, 200);
                }
            });
        }
    });
    let took = started.elapsed();
    let in_turn = LATENCY * u32::try_from(CLIENTS * TOKENS_EACH).unwrap();
    assert!(took < in_turn / 2, "{took:?} of {in_turn:?}");

    let truth = simulator.truth();
    assert_eq!(truth.tokens.len(), CLIENTS * TOKENS_EACH);
    assert!(truth.alive().is_empty());
    assert!(truth.tokens.iter().all(|token| token.logout_requests == 1));
    assert_eq!(truth.connections, CLIENTS as u64);
    assert!((2..=CLIENTS as u64).contains(&truth.in_flight_peak), "{}", truth.in_flight_peak);
}
