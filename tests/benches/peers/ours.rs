//! Our daemon, in a house of its own.

use std::process::{Command, Stdio};
use std::thread;

use rustix::process::geteuid;
use securid_tests::programs::programs;
use securid_tests::{Client, House, Plan};
use serde_json::json;

use crate::load::{Talk, Whole};

/// The store of a house with many sessions: each user's, whatever the kernel allows for keys.
pub(crate) const ROOMY: &str = "sealed-file";

/// How many keys an ordinary user has in the kernel.
const KEYS_OF_A_USER: usize = 200;

/// Whether a store takes so many sessions; said if not.
pub(crate) fn has_room(store: &str, sessions: usize) -> bool {
    let has_room = store != "keyutils" || sessions <= KEYS_OF_A_USER || geteuid().is_root();
    if !has_room {
        println!("{store}: the kernel has room for {KEYS_OF_A_USER} keys of a user");
    }
    has_room
}

/// The config's default `concurrency`, and as many clients at once as bring sessions.
pub(crate) const AT_ONCE: usize = 32;

/// A house as it is furnished here: no more log than a desktop has.
pub(crate) fn plan(keyring: &'static str) -> Plan {
    Plan { keyring, log: "warn", ..Plan::default() }
}

/// A command of `securid-ctl` whose output nobody sees.
pub(crate) fn ctl(house: &House, words: &[&str]) -> Command {
    let mut command = Command::new(&programs().ctl);
    house.furnish(&mut command);
    command.args(words).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Has tokens issued and taken over, by so many clients at once; the names of the sessions.
pub(crate) fn add(house: &House, count: usize, at_once: usize) -> Vec<String> {
    let tokens: Vec<String> = (0..count).map(|_| house.simulator.issue("alice")).collect();
    let share = |tokens: &[String]| -> Vec<String> {
        let mut client = Client::connect(&house.socket()).expect("the daemon listens");
        let taken = tokens.iter().map(|token| {
            let taken = client.call("session.add", json!({ "token": token })).expect("it is taken");
            taken["id"].as_str().expect("a session has an id").to_owned()
        });
        taken.collect()
    };
    thread::scope(|scope| {
        let shares = tokens.chunks(count.div_ceil(at_once).max(1));
        let clients: Vec<_> = shares.map(|tokens| scope.spawn(move || share(tokens))).collect();
        clients.into_iter().flat_map(|client| client.join().expect("it adds")).collect()
    })
}

/// How many sessions the daemon says that it has.
pub(crate) fn active(status: &serde_json::Value) -> u64 {
    status["sessions"]["active"].as_u64().expect("a number")
}

/// A question to our daemon.
pub(crate) fn asked(method: &str, params: &str) -> Talk {
    let request =
        format!("{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"{method}\",\"params\":{params}}}\n");
    Talk { request: request.into_bytes(), greets: false, whole: Whole::Line, is_kept: true }
}
