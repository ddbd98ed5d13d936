//! How long many sessions take to be revoked when the daemon is told to stop, beside the server's own pace and beside
//! what a script would do. The server answers each request 50 ms late, and all ask it 32 things at once. Its own pace
//! is measured with a client that does nothing but `logoutUser`, warm, over 32 connections.

use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use securid_api::{Access, Client, Endpoint, Format, LogoutReply, Proxies, Token};
use securid_secret::Secret;
use securid_tests::process::run;
use securid_tests::{House, Plan, Signal, timed};
use tokio::task::JoinSet;

use crate::arguments::Arguments;
use crate::findings::{Findings, OURS};
use crate::ours::{AT_ONCE, add, has_room, plan};
use crate::peer::which;
use crate::scripts::curl;

const PART: &str = "shutdown";

/// Where the secrets are, which are deleted meanwhile.
const STORES: [&str; 2] = ["keyutils", "sealed-file"];

/// What every reply takes longer.
const LATENCY: Duration = Duration::from_millis(50);

/// How long a thousand processes may take on a machine that does other things as well.
const PATIENCE: Duration = Duration::from_secs(300);

pub(crate) fn measure(arguments: &Arguments, found: &mut Findings) {
    let sessions = arguments.effort.sessions;
    let has_script = ["curl", "xargs"].into_iter().all(|program| which(program).is_some());
    let stores: Vec<_> = STORES.into_iter().filter(|store| has_room(store, sessions)).collect();
    let mut ours = vec![Vec::new(); stores.len()];
    let (mut server, mut script) = (Vec::new(), Vec::new());
    for _ in 0..arguments.effort.shutdowns {
        for (store, ours) in stores.iter().zip(&mut ours) {
            ours.push(daemon(store, sessions));
        }
        server.push(pace(sessions));
        if has_script {
            script.push(xargs_curl(sessions));
        }
    }
    for (store, ours) in stores.iter().zip(&ours) {
        let figure = format!("all dead after, {store}");
        found.put_times(PART, &figure, OURS, ours);
        found.put_times(PART, &figure, "the server's own pace", &server);
        found.put_times(PART, &figure, "xargs -P32 curl", &script);
    }
}

/// From SIGTERM to the end of the process, with every token dead by then.
fn daemon(store: &'static str, sessions: usize) -> Duration {
    let revocation = vec![("attempt_timeout", "10s"), ("shutdown_grace", "60s")];
    let mut house = House::open(Plan { latency: LATENCY, revocation, ..plan(store) });
    add(&house, sessions, AT_ONCE);
    house.signal(Signal::TERM);
    let (status, took) = timed(|| house.wait_for_end(PATIENCE));
    assert!(status.success(), "{status}\n{}", house.log());
    assert!(house.simulator.truth().alive().is_empty(), "tokens are left alive");
    took
}

/// The same number of logouts, one after the other on each of 32 connections.
fn pace(sessions: usize) -> Duration {
    let house = House::build(Plan { latency: LATENCY, ..plan(STORES[1]) });
    let endpoint = Endpoint::parse(house.simulator.url()).unwrap();
    let access = Access { ca_file: Some(house.path("ca.pem")), ..Access::default() };
    let client = Client::new(endpoint, &access, Format::Json, &Proxies::default()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(log_out(&client, tokens(&house, AT_ONCE)));
    let all = tokens(&house, sessions);
    let ((), took) = timed(|| runtime.block_on(log_out(&client, all)));
    assert!(house.simulator.truth().alive().is_empty(), "tokens are left alive");
    took
}

/// What a script does that has the tokens in a file: a process for each.
fn xargs_curl(sessions: usize) -> Duration {
    let house = House::build(Plan { latency: LATENCY, ..plan(STORES[1]) });
    let all = tokens(&house, sessions).join("\n");
    let url = format!("{}/command.submit?cmd=logoutUser&format=json", house.simulator.url());
    let mut xargs = Command::new("xargs");
    xargs.args(["-P32", "-I{}", "curl", "--output", "/dev/null"]);
    xargs.args(curl(&url, &house.path("ca.pem"), "Authorization: Bearer {}"));
    xargs.stdout(Stdio::null());
    let (told, took) = timed(|| run(xargs, &all, PATIENCE));
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    assert!(house.simulator.truth().alive().is_empty(), "tokens are left alive");
    took
}

fn tokens(house: &House, count: usize) -> Vec<String> {
    (0..count).map(|_| house.simulator.issue("alice")).collect()
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
