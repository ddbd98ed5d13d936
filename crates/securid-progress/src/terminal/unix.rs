//! The kernel knows how wide a terminal is, and `TERM` what it is.

use std::{env, io::stderr};

use rustix::termios::tcgetwinsize;

/// How wide the terminal of stderr is; 0 where nobody knows.
pub(crate) fn columns() -> usize {
    tcgetwinsize(stderr()).map_or(0, |size| size.ws_col).into()
}

/// Whether a terminal, which stderr is, can clear a line.
pub(crate) fn can_draw() -> bool {
    env::var_os("TERM").is_some_and(|it| it != "dumb" && !it.is_empty())
}
