//! A terminal's modes and size.

use std::io::{self, IsTerminal as _, stdin, stdout};

use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcgetwinsize, tcsetattr,
};

use super::{Page, Size, enter};

/// How the terminal takes what is typed.
pub(super) struct Typing(Termios);

impl Typing {
    /// As it is now; none if nobody types there.
    ///
    /// # Errors
    /// If it does not say.
    pub(super) fn now() -> io::Result<Option<Self>> {
        Ok(if stdin().is_terminal() { Some(Self(tcgetattr(stdin())?)) } else { None })
    }

    /// From now on it is not shown, and comes key by key.
    ///
    /// # Errors
    /// If the terminal cannot be set.
    pub(super) fn key_by_key(&self) -> io::Result<()> {
        let mut key_by_key = self.0.clone();
        key_by_key.local_modes -= LocalModes::ICANON | LocalModes::ECHO;
        key_by_key.special_codes[SpecialCodeIndex::VMIN] = 1;
        key_by_key.special_codes[SpecialCodeIndex::VTIME] = 0;
        Ok(tcsetattr(stdin(), OptionalActions::Now, &key_by_key)?)
    }

    /// From now on it is as it was.
    pub(super) fn put_back(&self) {
        // A terminal that is gone needs nothing any more.
        let _ = tcsetattr(stdin(), OptionalActions::Now, &self.0);
    }
}

impl Page {
    /// Somebody else may have used the terminal meanwhile: it is set anew, and the next drawing is whole.
    ///
    /// # Errors
    /// As of [`Page::begin`].
    pub(crate) fn resume(&mut self) -> io::Result<()> {
        enter()?;
        self.forget()
    }
}

/// What the terminal of standard output says, or zeroes.
pub(super) fn size() -> Option<Size> {
    let told = tcgetwinsize(stdout()).ok()?;
    Some(Size { columns: told.ws_col.into(), rows: told.ws_row.into() })
}
