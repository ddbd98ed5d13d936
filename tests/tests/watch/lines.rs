//! `securid-ctl watch` off a terminal.

use std::io::{BufRead, BufReader};
use std::process::{ChildStdout, Command, Stdio};

use securid_tests::process::Process;
use securid_tests::programs::programs;
use securid_tests::{House, PATIENCE, Plan, Signal};
use serde_json::{Value, json};

/// One that runs, and what it prints.
struct Watch {
    process: Process,
    lines: BufReader<ChildStdout>,
}

impl Watch {
    fn begin(house: &House, words: &[&str]) -> Self {
        let mut command = Command::new(&programs().ctl);
        command.arg("watch").args(words).stdin(Stdio::null()).stdout(Stdio::piped());
        house.furnish(&mut command);
        let mut process = Process::start(command);
        let lines = BufReader::new(process.take_stdout());
        Self { process, lines }
    }

    fn next(&mut self) -> Value {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
    }

    fn until(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let event = self.next();
            if wanted(&event) {
                return event;
            }
        }
    }
}

#[test]
fn each_event_is_a_line_over_a_restart_too() {
    let mut house = House::open(Plan::default());
    let (id, _) = house.add_one();
    let mut watch = Watch::begin(&house, &[]);
    let first = watch.next();
    assert_eq!((&first["seq"], &first["session"]["id"]), (&json!(1), &json!(id)));
    assert_eq!(watch.next(), json!({"seq": 2, "event": "ready"}));

    house.terminate_keeping();
    assert_eq!(
        watch.until(|event| event["event"] == "disconnected"),
        json!({"event": "disconnected"})
    );
    house.start();
    let first = watch.next();
    assert_eq!((&first["seq"], &first["session"]["id"]), (&json!(1), &json!(id)));
    house.logout(&id, "10s");
    assert_eq!(watch.until(|event| event["event"] == "ended")["session"]["id"], *id);

    watch.process.signal(Signal::INT);
    assert_eq!(watch.process.wait(PATIENCE).code(), Some(130));
}

#[test]
fn it_ends_with_its_reader_though_nothing_happens() {
    let house = House::open(Plan::default());
    let mut watch = Watch::begin(&house, &["--json"]);
    assert_eq!(watch.next()["event"], "ready");
    drop(watch.lines);
    assert_eq!(watch.process.wait(PATIENCE).code(), Some(1));
}

#[test]
fn where_nothing_listens_it_ends_at_once() {
    let house = House::build(Plan::default());
    let refused = house.ctl(&["watch"]);
    assert_eq!(refused.status.code(), Some(69), "{refused:?}");
}
