//! The last words and the end of a program, with as little in between as there can be.

use std::{
    fs::File,
    io::{self, Write as _},
    os::windows::io::AsHandle as _,
};

use securid_windows::ending;

/// Ends the process with this status, and runs nothing more.
pub(super) fn exit_at_once(status: i32) -> ! {
    ending::exit_at_once(status.cast_unsigned())
}

/// Writes a line to stderr, past the lock that whoever panicked may hold.
pub fn tell_on_stderr(words: &str) {
    if let Ok(stderr) = io::stderr().as_handle().try_clone_to_owned() {
        // Nobody can be told that nobody could be told.
        let _ = File::from(stderr).write_all(format!("{words}\n").as_bytes());
    }
}
