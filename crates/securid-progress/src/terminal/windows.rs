//! A console says how wide it is, and takes the sequences of terminals once it is told to.

use std::io::stderr;

use securid_windows::sequences::take_sequences;
use terminal_size::terminal_size_of;

/// How wide the console of stderr is; 0 where nobody knows.
pub(crate) fn columns() -> usize {
    terminal_size_of(stderr()).map_or(0, |(width, _)| width.0).into()
}

/// Whether a console, which stderr is, can clear a line. From now on it does.
pub(crate) fn can_draw() -> bool {
    take_sequences(&stderr()).is_ok()
}
