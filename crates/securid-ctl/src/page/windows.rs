//! A console's modes and size.

use std::{
    io::{self, IsTerminal as _, stdin, stdout},
    os::windows::io::AsHandle as _,
};

use securid_windows::console::{ECHO, LINES, SIZES, mode, set_mode};

use super::Size;

/// How the console takes what is typed.
pub(super) struct Typing(u32);

impl Typing {
    /// As it is now; none if nobody types there.
    ///
    /// # Errors
    /// If it does not say.
    pub(super) fn now() -> io::Result<Option<Self>> {
        let stdin = stdin();
        if stdin.is_terminal() { mode(stdin.as_handle()).map(Self).map(Some) } else { Ok(None) }
    }

    /// From now on it is not shown, and comes key by key; so does a new size of the window.
    ///
    /// # Errors
    /// If the console cannot be set.
    pub(super) fn key_by_key(&self) -> io::Result<()> {
        set_mode(stdin().as_handle(), (self.0 & !(LINES | ECHO)) | SIZES)
    }

    /// From now on it is as it was.
    pub(super) fn put_back(&self) {
        // A console that is gone needs nothing any more.
        let _ = set_mode(stdin().as_handle(), self.0);
    }
}

/// What the console of standard output says.
pub(super) fn size() -> Option<Size> {
    let (width, height) = terminal_size::terminal_size_of(stdout())?;
    Some(Size { columns: width.0.into(), rows: height.0.into() })
}
