//! The last words and the end of a program, with as little in between as there can be.

use std::io;

pub(super) use signal_hook::low_level::exit as exit_at_once;

/// Writes a line to stderr, past the lock that whoever panicked may hold.
pub fn tell_on_stderr(words: &str) {
    let line = format!("{words}\n");
    let mut rest = line.as_bytes();
    while !rest.is_empty() {
        match rustix::io::write(io::stderr(), rest) {
            Ok(written) => rest = rest.get(written..).unwrap_or_default(),
            Err(rustix::io::Errno::INTR) => {}
            // Nobody can be told that nobody could be told.
            Err(_) => return,
        }
    }
}
