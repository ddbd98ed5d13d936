//! A console that Windows opens for a program, and one that is somebody else's as well.

#![cfg(windows)]
#![allow(clippy::unwrap_used)]

use std::env;
use std::io;
use std::os::windows::io::AsRawHandle as _;
use std::os::windows::process::CommandExt as _;
use std::process::{Command, exit};
use std::thread::sleep;
use std::time::{Duration, Instant};

use securid_windows::own_console;

/// Says to this program that it is the one that was started, and not the test.
const STARTED: &str = "SECURID_TEST_STARTED";

/// A console of its own, with a window (CREATE_NEW_CONSOLE).
const NEW_CONSOLE: u32 = 0x10;

/// How long the program may take; a system that cannot show windows at all may hang.
const WITHIN: Duration = Duration::from_secs(60);

/// None (DETACHED_PROCESS).
const NO_CONSOLE: u32 = 0x8;

#[test]
fn only_a_console_that_is_nobody_elses_is_left() {
    if env::var_os(STARTED).is_some() {
        let left = own_console::leave();
        let again = own_console::leave();
        let none = io::stderr().as_raw_handle().is_null();
        exit(i32::from(left) | i32::from(again) << 1 | i32::from(none) << 2);
    }
    assert_eq!(started(NEW_CONSOLE), 1, "left once; what stderr was redirected to stays");
    assert_eq!(started(NO_CONSOLE), 0);
}

/// This program again, and what it says.
fn started(flags: u32) -> i32 {
    let mut program = Command::new(env::current_exe().unwrap());
    program.args(["--exact", "only_a_console_that_is_nobody_elses_is_left"]);
    program.env(STARTED, "1").creation_flags(flags);
    let mut child = program.spawn().unwrap();
    let until = Instant::now() + WITHIN;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code().unwrap();
        }
        if Instant::now() >= until {
            child.kill().unwrap();
            panic!(
                "no console came. Under Wine without a display: HKCU\\Software\\Wine\\Drivers, Graphics=null"
            );
        }
        sleep(Duration::from_millis(20));
    }
}
