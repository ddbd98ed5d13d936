//! Standard output as a file, and what a terminal says of itself.

use std::{
    env,
    fs::File,
    io::{self, IsTerminal as _, Write as _, stdout},
    os::fd::AsFd as _,
};

use securid_secret::SecretBytes;

/// What is written to past all buffers.
pub(crate) struct Raw(File);

impl Raw {
    /// # Errors
    /// If there is none.
    pub(crate) fn stdout() -> io::Result<Self> {
        stdout().as_fd().try_clone_to_owned().map(|out| Self(out.into()))
    }

    pub(crate) fn is_terminal(&self) -> bool {
        self.0.is_terminal()
    }

    /// # Errors
    /// Those of the writing.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    /// Text, for a terminal.
    ///
    /// # Errors
    /// Those of the writing.
    pub(crate) fn write_text(&mut self, text: &str) -> io::Result<()> {
        self.0.write_all(text.as_bytes())
    }

    /// What nobody else may see, with no copy of it.
    ///
    /// # Errors
    /// Those of the writing.
    pub(crate) fn write_secret(&mut self, text: &SecretBytes) -> io::Result<()> {
        self.0.write_all(text)
    }
}

impl From<File> for Raw {
    fn from(file: File) -> Self {
        Self(file)
    }
}

/// Whether a terminal takes colours, and whether it can be drawn on: that is known of one that says what it is.
pub(super) fn takes() -> (bool, bool) {
    (true, env::var_os("TERM").is_some_and(|it| !it.is_empty() && it != "dumb"))
}
