//! What `exec` gives to a program is what was said, whatever is in it: on Windows arguments travel as one line, and each
//! program takes it apart by itself. This program is both the test and the program that is run.

#![allow(clippy::unwrap_used, clippy::expect_used, dead_code)]

#[path = "cli/fake.rs"]
mod fake;

use std::{
    env::{args_os, current_exe, var_os},
    process::exit,
};

use securid_ipc::messages::*;

use fake::{Home, Ran};

/// Set where this program is the one that is run.
const RUN: &str = "SECURID_TEST_ECHO";

/// The exit status of the program that is run.
const STATUS: i32 = 7;

/// Quotes, backslashes, spaces and what shells obey, in all the places where Windows minds them.
const NASTY: [&str; 20] = [
    "plain",
    "",
    " ",
    "two words",
    "tab\there",
    "\"",
    "\"quoted\"",
    "a\"b c",
    "back\\slash",
    "end\\",
    "two ends\\\\",
    "\\\"",
    "\\\\\"",
    "C:\\Program Files\\x\\",
    "%PATH%",
    "!x! ^ & | < > ( )",
    "*.rs",
    "größer 日本 🦀",
    "--login",
    "--",
];

fn main() {
    if var_os(RUN).is_some() {
        args_os().skip(1).for_each(|arg| println!("{arg:?}"));
        exit(STATUS);
    }
    let home = Home::answering(|call| {
        Some(Ok(match call {
            Call::Hold(_) => Reply::Held(SessionRef { session: "0123456789abcdef".into() }),
            _ => Reply::Token(TokenView {
                token: "t-1".to_owned().into(),
                url: "https://h".into(),
                session: "0123456789abcdef".into(),
                instance: "prod".into(),
                expires_at: None,
            }),
        }))
    });
    let us = current_exe().unwrap();
    let mut command = home.ctl(["exec", "--"]);
    command.arg(us).args(NASTY).env(RUN, "1");
    let ran = Ran::of(&mut command, "");
    let said: Vec<_> = ran.out.lines().collect();
    let meant: Vec<_> = NASTY.iter().map(|arg| format!("{arg:?}")).collect();
    assert_eq!(
        (ran.code, said),
        (Some(STATUS), meant.iter().map(|arg| &**arg).collect()),
        "{}",
        ran.err
    );
}
