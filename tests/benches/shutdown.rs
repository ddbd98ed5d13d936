//! How long 1,000 sessions take to be revoked when the daemon is told to stop, beside the server's
//! own pace: `cargo bench -p securid-tests --bench shutdown`. The result stands in
//! `docs/performance.md`.
//!
//! The server answers each request 50 ms late, and both sides ask it 32 things at once. Its own
//! pace is measured with a client that does nothing but `logoutUser`, warm, over 32 connections.
//! Rounds alternate, so that whatever else the machine does meets both; medians are compared.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use securid_api::{Access, Client, Endpoint, Format, LogoutReply, Proxies, Token};
use securid_secret::Secret;
use securid_tests::{House, Plan, timed};
use tokio::task::JoinSet;

const SESSIONS: usize = 1_000;
const LATENCY: Duration = Duration::from_millis(50);
/// The config's default `concurrency`.
const AT_ONCE: usize = 32;
const ROUNDS: usize = 5;

fn main() {
    let mut ours = Vec::new();
    let mut server = Vec::new();
    println!("round    daemon    server     ratio");
    for round in 1..=ROUNDS {
        let (a, b) = (daemon(), pace());
        println!(
            "{round:>5} {:>8.3}s {:>8.3}s {:>9.2}",
            seconds(a),
            seconds(b),
            seconds(a) / seconds(b)
        );
        ours.push(a);
        server.push(b);
    }
    let (ours, server) = (median(ours), median(server));
    let ratio = seconds(ours) / seconds(server);
    println!("median {:>7.3}s {:>8.3}s {ratio:>9.2}", seconds(ours), seconds(server));
    let least = LATENCY.as_secs_f64() * SESSIONS as f64 / AT_ONCE as f64;
    println!("(The latency alone is {least:.3} s.)");
}

/// From SIGTERM to the end of the process, with every token dead by then.
fn daemon() -> Duration {
    let revocation = vec![("attempt_timeout", "10s"), ("shutdown_grace", "60s")];
    let plan = Plan { latency: LATENCY, revocation, log: "warn", ..Plan::default() };
    let mut house = House::open(plan);
    house.add_many(SESSIONS);
    let (status, took) = timed(|| house.terminate());
    assert!(status.success(), "{status}\n{}", house.log());
    let truth = house.simulator.truth();
    assert!(truth.alive().is_empty(), "tokens are left alive");
    if truth.logout_requests > SESSIONS as u64 {
        println!("      {} attempts; the daemon says:\n{}", truth.logout_requests, house.log());
    }
    took
}

/// The same number of logouts, one after the other on each of 32 connections.
fn pace() -> Duration {
    let house = House::build(Plan { latency: LATENCY, ..Plan::default() });
    let tokens = |count: usize| -> Vec<String> {
        (0..count).map(|_| house.simulator.issue("alice")).collect()
    };
    let endpoint = Endpoint::parse(house.simulator.url()).unwrap();
    let ca_file = house.path("ca.pem");
    assert!(fs::exists(&ca_file).unwrap());
    let access = Access { ca_file: Some(ca_file), ..Access::default() };
    let client = Client::new(endpoint, &access, Format::Json, &Proxies::default()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(log_out(&client, tokens(AT_ONCE)));
    let all = tokens(SESSIONS);
    let ((), took) = timed(|| runtime.block_on(log_out(&client, all)));
    assert!(house.simulator.truth().alive().is_empty(), "tokens are left alive");
    took
}

async fn log_out(client: &Client, tokens: Vec<String>) {
    let left = Arc::new(Mutex::new(tokens));
    let mut workers = JoinSet::new();
    for _ in 0..AT_ONCE {
        let (client, left) = (client.clone(), Arc::clone(&left));
        workers.spawn(async move {
            loop {
                let next = left.lock().unwrap().pop();
                let Some(token) = next else { return };
                let token = Token::new(&Secret::from(token)).unwrap();
                let reply = client.logout(&token, Duration::from_secs(10)).await;
                assert!(matches!(reply, LogoutReply::Confirmed(_)), "{reply:?}");
            }
        });
    }
    while let Some(done) = workers.join_next().await {
        done.unwrap();
    }
}

fn median(mut all: Vec<Duration>) -> Duration {
    all.sort();
    all[all.len() / 2]
}

fn seconds(span: Duration) -> f64 {
    span.as_secs_f64()
}
