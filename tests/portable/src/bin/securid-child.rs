//! What `exec` runs in these tests: a program that every system has.

// All of this is test code: what cannot be had fails the test.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

/// How long it waits for a file at most: longer than any test does.
const LIMIT: Duration = Duration::from_secs(120);

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        // What it was given, a variable a line.
        ["tell", ref names @ ..] => {
            for name in names {
                println!("{}", std::env::var(name).unwrap_or_default());
            }
            ExitCode::SUCCESS
        }
        // Its arguments, as JSON.
        ["echo", ref rest @ ..] => {
            println!("{}", serde_json::json!(rest));
            ExitCode::SUCCESS
        }
        ["exit", status] => ExitCode::from(status.parse::<u8>().expect("a status")),
        // Makes one file, and waits for another.
        ["wait", here, there] => {
            std::fs::write(here, "").expect("the folder is ours");
            let began = Instant::now();
            while !Path::new(there).exists() && began.elapsed() < LIMIT {
                thread::sleep(Duration::from_millis(20));
            }
            ExitCode::SUCCESS
        }
        _ => ExitCode::from(2),
    }
}
