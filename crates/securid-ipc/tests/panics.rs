//! A program that panics, in each of the ways that there are, and what is left of it: run by itself, once
//! for each way.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    env,
    io::Read as _,
    process::{Command, Stdio},
    sync::{Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use securid_ipc::panics::{INTERNAL_ERROR, end_the_process, tell_on_stderr};

/// What no panic may repeat.
const SECRET: &str = "tok-8f31c0ffee";

/// How long the longest way may take: the two seconds for its words, and a busy machine.
const WITHIN: Duration = Duration::from_secs(8);

fn main() {
    match env::args().nth(1).filter(|way| way.starts_with("way-")) {
        Some(way) => go(&way),
        None => check_them_all(),
    }
}

fn go(way: &str) -> ! {
    let tell = match way {
        "way-telling-hangs" => |_: &str| thread::sleep(Duration::from_secs(60)),
        "way-telling-panics" => |_: &str| panic!("{SECRET}"),
        _ => tell_on_stderr,
    };
    end_the_process("program", tell);
    match way {
        "way-static" => panic!("the drawer is gone"),
        "way-formatted" => panic!("unexpected {}", env::args().next().unwrap() + SECRET),
        "way-expect" => {
            SECRET.parse::<u8>().map_err(|error| (error, SECRET)).expect("no value");
        }
        "way-caught" => drop(thread::spawn(|| panic!("in a thread")).join()),
        "way-locked" => {
            let _held = std::io::stderr().lock();
            panic!("with stderr in its hands");
        }
        "way-two-at-once" => {
            let other = thread::spawn(|| panic!("one of two"));
            thread::spawn(|| panic!("one of two")).join().ok();
            other.join().ok();
        }
        "way-in-a-drop" => {
            struct Bad;
            impl Drop for Bad {
                fn drop(&mut self) {
                    panic!("in a drop");
                }
            }
            let _bad = Bad;
            panic!("before the drop");
        }
        "way-poisoned" => {
            let lock = Mutex::new(());
            let _guard = lock.lock().unwrap_or_else(PoisonError::into_inner);
            panic!("under a lock");
        }
        _ => panic!("to be told"),
    }
    thread::sleep(Duration::from_secs(60));
    unreachable!("{way}: it went on");
}

fn check_them_all() {
    for (way, words) in [
        ("way-static", Some("thread main: the drawer is gone")),
        ("way-formatted", Some("thread main\n")),
        ("way-expect", Some("thread main\n")),
        ("way-caught", Some("thread without a name: in a thread")),
        ("way-locked", Some("thread main: with stderr in its hands")),
        ("way-two-at-once", Some("one of two")),
        ("way-in-a-drop", Some("before the drop")),
        ("way-poisoned", Some("under a lock")),
        ("way-telling-hangs", None),
        ("way-telling-panics", None),
    ] {
        let began = Instant::now();
        let mut child = Command::new(env::current_exe().unwrap())
            .arg(way)
            .env("RUST_BACKTRACE", "full")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if began.elapsed() > WITHIN {
                child.kill().unwrap();
                panic!("{way}: it lives on");
            }
            thread::sleep(Duration::from_millis(5));
        };
        let mut told = String::new();
        child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
        assert_eq!(status.code(), Some(INTERNAL_ERROR), "{way}: {status}: {told}");
        assert!(!told.contains(SECRET), "{way}: {told}");
        match words {
            None => assert_eq!(told, "", "{way}"),
            Some(words) => {
                let beginning = "program: internal error, please report it: panic at ";
                assert!(told.starts_with(beginning) && told.contains(words), "{way}: {told}");
                // As the machine writes paths on which it was built.
                let places = ["tests/panics.rs:", r"tests\panics.rs:"];
                assert!(places.iter().any(|it| told.contains(it)), "{way}: {told}");
                assert_eq!(told.lines().count(), 1, "{way}: {told}");
            }
        }
    }
    println!("panics: every way ends the process");
}
