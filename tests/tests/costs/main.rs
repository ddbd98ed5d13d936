//! What a release costs: sizes, crates, instructions. It needs the programs as they are released, so it is run by
//! itself, with `SECURID_BIN_DIR=$PWD/target/release`:
//!
//! ```sh
//! cargo build --release -p securid-sessiond -p securid-ctl
//! SECURID_BIN_DIR=$PWD/target/release cargo test -p securid-tests --test costs -- --nocapture
//! ```
//!
//! Wakeups are counted beside (`idle`); times, which depend on the machine, by the benchmark (`docs/performance.md`).
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod limits;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use securid_tests::patience::is_installed;
use securid_tests::programs::{crates, programs};
use securid_tests::{House, Plan, skipped};
use serde_json::json;

use limits::Limit;

/// Fails with what to do if there is more of it.
fn holds(limit: &Limit, counted: u64) {
    let Limit { of, most, unit, why } = limit;
    println!("{of}: {counted} {unit} of {most}");
    assert!(counted > 0, "{of}: nothing was counted");
    let more = counted.saturating_sub(*most);
    let percent = more as f64 * 100.0 / *most as f64;
    assert!(
        more == 0,
        "{of}: {counted} {unit}, {percent:.1} % more than the limit, which is {most} ({why}). Find out what has \
         come in and take it out, or say in tests/tests/costs/limits.rs why it is worth that."
    );
}

#[test]
fn the_programs_are_small() {
    for (limit, program) in [(limits::DAEMON, &programs().daemon), (limits::CLI, &programs().ctl)] {
        holds(&limit, fs::metadata(program).unwrap().len());
    }
}

#[test]
fn the_programs_are_made_of_few_crates() {
    holds(&limits::DAEMON_CRATES, crates("securid-sessiond") as u64);
    holds(&limits::CLI_CRATES, crates("securid-ctl") as u64);
}

#[test]
fn a_command_line_is_over_soon() {
    if !can_count() {
        return;
    }
    let house = house();
    let mut list = Command::new(&programs().ctl);
    house.furnish(&mut list);
    list.arg("list").stdout(Stdio::null());
    let counts = house.path("counts");
    assert!(counting(&list, &counts).status().unwrap().success());
    holds(&limits::LIST, counted(&counts));
}

#[test]
fn a_request_is_answered_by_little() {
    /// More requests of the second daemon than of the first.
    const MORE: u64 = 1_000;
    if !can_count() {
        return;
    }
    let mut house = house();
    // What a start and an end cost is the same of both.
    let [few, many] = [MORE, 2 * MORE].map(|requests| {
        assert!(house.terminate_keeping().success());
        let counts = house.path(&requests.to_string());
        let command = counting(&house.daemon_command(), &counts);
        house.start_with(command);
        let mut client = house.client();
        for _ in 0..requests {
            client.call("session.list", json!({})).unwrap();
        }
        drop(client);
        assert!(house.terminate_keeping().success());
        house.start();
        counted(&counts)
    });
    holds(&limits::REQUEST, (many - few) / MORE);
}

/// With one session, in a store that every machine has.
fn house() -> House {
    let house = House::open(Plan { keyring: "sealed-file", log: "warn", ..Plan::default() });
    house.add_one();
    house
}

/// Whether instructions can be counted here, in the kind that the limits are of.
fn can_count() -> bool {
    if !cfg!(target_arch = "x86_64") {
        skipped("the limits are of instructions of x86_64");
        return false;
    }
    is_installed("valgrind")
}

/// The same command, its instructions counted into this file. Other processors have other instructions for copying and for
/// ciphers, of which valgrind shows a program the same everywhere.
fn counting(command: &Command, counts: &Path) -> Command {
    let mut counting = Command::new("valgrind");
    counting.args(["--quiet", "--tool=callgrind"]);
    counting.arg(format!("--callgrind-out-file={}", counts.display()));
    counting.arg(command.get_program()).args(command.get_args());
    counting.env_clear().stdout(Stdio::null());
    counting.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    counting.current_dir(command.get_current_dir().unwrap());
    counting
}

fn counted(counts: &Path) -> u64 {
    let text = fs::read_to_string(counts).unwrap();
    let total = text.lines().find_map(|line| line.strip_prefix("totals: "));
    total.and_then(|total| total.trim().parse().ok()).expect("callgrind counts")
}
