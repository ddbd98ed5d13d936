//! Standard output as a file, and what a console takes.

use std::{
    fs::File,
    io::{self, IsTerminal as _, Write as _, stdout},
    os::windows::io::AsHandle as _,
};

use securid_secret::SecretBytes;
use securid_windows::console;

/// What is written to past all buffers. A console takes UTF-16, for else it would go by its code page.
pub(crate) struct Raw {
    file: File,
    is_terminal: bool,
}

impl Raw {
    /// # Errors
    /// If there is none.
    pub(crate) fn stdout() -> io::Result<Self> {
        stdout().as_handle().try_clone_to_owned().map(|out| File::from(out).into())
    }

    pub(crate) fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// # Errors
    /// Those of the writing.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }

    /// Text, for a terminal.
    ///
    /// # Errors
    /// Those of the writing.
    pub(crate) fn write_text(&mut self, text: &str) -> io::Result<()> {
        let units: Vec<u16> = text.encode_utf16().collect();
        console::write(self.file.as_handle(), &units)
    }

    /// What nobody else may see, with no copy of it but the console's own.
    ///
    /// # Errors
    /// Those of the writing.
    pub(crate) fn write_secret(&mut self, text: &SecretBytes) -> io::Result<()> {
        if !self.is_terminal {
            return self.file.write_all(text);
        }
        // A character at a time: nothing of it is left in a buffer.
        for c in String::from_utf8_lossy(text).chars() {
            console::write(self.file.as_handle(), c.encode_utf16(&mut [0; 2]))?;
        }
        Ok(())
    }
}

impl From<File> for Raw {
    fn from(file: File) -> Self {
        let is_terminal = file.is_terminal();
        Self { file, is_terminal }
    }
}

/// Whether a console takes colours, and whether it can be drawn on: both since Windows 10, once it is asked to.
pub(super) fn takes() -> (bool, bool) {
    let does = anstyle_query::windows::enable_ansi_colors().unwrap_or(false);
    (does, does)
}
