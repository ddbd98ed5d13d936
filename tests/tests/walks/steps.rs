//! A step: a command, its exit status, and what it has to say. All of them are told; a failing test shows them.

use std::process::Output;

use securid_tests::process::told;
use securid_tests::{Machine, PASSWORD, USER};
use serde_json::Value;

/// A command of root's.
#[track_caller]
pub(super) fn root(machine: &Machine, script: &str, exit: i32, words: &[&str]) -> String {
    step(&format!("root# {script}"), &machine.root(script), exit, words)
}

/// A command of the machine's own user.
#[track_caller]
pub(super) fn user(machine: &Machine, script: &str, exit: i32, words: &[&str]) -> String {
    step(&format!("{USER}$ {script}"), &machine.user(script), exit, words)
}

/// A login with the right password, which is piped in.
#[track_caller]
pub(super) fn login(machine: &Machine, more: &str, exit: i32, words: &[&str]) -> String {
    let script = format!("printf %s '{PASSWORD}' | securid-ctl login --password-stdin {more}");
    user(machine, &script, exit, words)
}

/// The user saves a file in his editor.
#[track_caller]
pub(super) fn save(machine: &Machine, path: &str, text: &str) {
    let output = machine.user_with(&format!("mkdir -p $(dirname {path}) && cat >{path}"), text);
    step(&format!("{USER}$ $EDITOR {path}"), &output, 0, &[]);
}

/// A command of another user's who has logged in: with his runtime folder and bus.
#[track_caller]
pub(super) fn other(
    machine: &Machine,
    name: &str,
    script: &str,
    exit: i32,
    words: &[&str],
) -> String {
    let output = machine.root(&format!(
        "cd / && run=/run/user/$(id -u {name}) && runuser -u {name} -- env -i PATH=/usr/bin:/bin HOME=/home/{name} \
         XDG_RUNTIME_DIR=$run DBUS_SESSION_BUS_ADDRESS=unix:path=$run/bus sh -c '{}'",
        script.replace('\'', r"'\''")
    ));
    step(&format!("{name}$ {script}"), &output, exit, words)
}

/// What was on stdout; the words may be on stderr.
#[track_caller]
fn step(script: &str, output: &Output, exit: i32, words: &[&str]) -> String {
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let said = format!("{stdout}{}", told(output));
    println!("{script}\n{said}\n-> {:?}", output.status.code());
    assert_eq!(output.status.code(), Some(exit), "{script}: {said}");
    for word in words {
        assert!(said.contains(word), "{script}: no {word:?} in: {said}");
    }
    stdout
}

pub(super) fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

/// The id of a login that was made with `--json`.
pub(super) fn id(session: &str) -> String {
    json(session)["id"].as_str().expect("a session has an id").to_owned()
}
