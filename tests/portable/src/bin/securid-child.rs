//! What `exec` runs in these tests: a program that every system has. On Windows also the person at a console.

// All of this is test code: what cannot be had fails the test.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[cfg(windows)]
use securid_portable_tests::system;
#[cfg(windows)]
use securid_windows::control::on_control;
use std::path::Path;
use std::process::ExitCode;
#[cfg(windows)]
use std::sync::OnceLock;
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
        // Makes a file, and waits for Ctrl-C, with a status of its own then.
        #[cfg(windows)]
        ["await-interrupt", here, status] => {
            static STATUS: OnceLock<i32> = OnceLock::new();
            STATUS.set(status.parse().expect("a status")).expect("nobody else does");
            let handler = |_| std::process::exit(STATUS.get().copied().unwrap_or_default());
            on_control(handler).expect("it can be caught");
            std::fs::write(here, "").expect("the folder is ours");
            thread::sleep(LIMIT);
            ExitCode::FAILURE
        }
        #[cfg(windows)]
        ["console", wish, seen, program, ref words @ ..] => {
            let words: Vec<_> = words.iter().map(Into::into).collect();
            let status =
                system::console::sit_at_it(Path::new(wish), Path::new(seen), program, &words);
            std::process::exit(status)
        }
        _ => ExitCode::from(2),
    }
}
