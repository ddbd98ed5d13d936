//! The console, and its modes.

use std::{
    char::{REPLACEMENT_CHARACTER, decode_utf16},
    fs::{File, OpenOptions},
    io::{self, IsTerminal as _, stdin},
    os::windows::io::AsHandle as _,
};

use securid_secret::{Secret, SecretBytes};
use securid_windows::{
    console::{self, CONTROLS, ECHO, LINES},
    wait::wait,
};

use crate::interrupt::{Caught, obey};

/// The variable that says who has logged in here.
pub(crate) const LOGGED_IN: &str = "USERNAME";

/// The console that this process belongs to: what is typed, and its screen.
pub(crate) struct Terminal {
    typed: File,
    screen: File,
}

/// Room for as many UTF-16 units as a console gives out of a line, two bytes each.
const LINE: usize = 2 * 4096;

/// Ctrl-Z, with which a line begins that is the end of what is typed.
const END: u16 = 0x1a;

impl Terminal {
    /// Whether there is a person to ask.
    pub(crate) fn is_there() -> bool {
        stdin().is_terminal()
    }

    /// # Errors
    /// If this process belongs to none.
    pub(crate) fn open() -> io::Result<Self> {
        let open = |name| OpenOptions::new().read(true).write(true).open(name);
        Ok(Self { typed: open("CONIN$")?, screen: open("CONOUT$")? })
    }

    /// How many characters a line has; 0 if it does not say.
    pub(super) fn columns(&self) -> u16 {
        terminal_size::terminal_size_of(&self.screen).map_or(0, |(width, _)| width.0)
    }

    /// # Errors
    /// If the console has gone.
    pub(super) fn write(&self, text: &str) -> io::Result<()> {
        let units: Vec<u16> = text.encode_utf16().collect();
        console::write(self.screen.as_handle(), &units)
    }

    /// Asks for something that may be seen.
    ///
    /// # Errors
    /// [`io::ErrorKind::Interrupted`] for Ctrl-C; else if there is no answer.
    pub(crate) fn ask(&self, caught: &mut Caught, prompt: &str) -> io::Result<Secret> {
        self.question(caught, prompt, ECHO)
    }

    /// Asks without echo.
    ///
    /// # Errors
    /// As [`ask`](Self::ask).
    pub(crate) fn ask_secretly(&self, caught: &mut Caught, prompt: &str) -> io::Result<Secret> {
        self.question(caught, prompt, 0)
    }

    fn question(&self, caught: &mut Caught, prompt: &str, echo: u32) -> io::Result<Secret> {
        let typed = self.typed.as_handle();
        let before = console::mode(typed)?;
        console::set_mode(typed, (before & !ECHO) | LINES | CONTROLS | echo)?;
        // What is typed before the echo is off was seen, and does not count.
        let answer = console::flush(typed)
            .and_then(|()| self.write(prompt))
            .and_then(|()| self.answer(caught));
        let ended = console::set_mode(typed, before);
        if echo == 0 || answer.is_err() {
            // If even that cannot be written, nobody sees what comes next.
            let _ = self.write("\r\n");
        }
        ended.and(answer)
    }

    /// A line without its end.
    fn answer(&self, caught: &mut Caught) -> io::Result<Secret> {
        let mut line = SecretBytes::new();
        let mut piece = SecretBytes::zeroed(LINE);
        loop {
            // One that comes before the system looks out for it would else wait for Enter.
            wait(&[caught.as_handle(), self.typed.as_handle()], None)?;
            caught.pending().into_iter().try_for_each(obey)?;
            let read = console::read(self.typed.as_handle(), &mut piece);
            caught.pending().into_iter().try_for_each(obey)?;
            line.extend_from_slice(&piece[read?]);
            let mut units = units(&line);
            match (units.next(), units.last()) {
                (None | Some(END), _) => return Err(io::ErrorKind::UnexpectedEof.into()),
                (Some(first), last) if last.unwrap_or(first) == u16::from(b'\n') => break,
                _ => {}
            }
        }
        let mut answer = Secret::with_capacity(line.len());
        for c in decode_utf16(units(&line)) {
            answer.push(c.unwrap_or(REPLACEMENT_CHARACTER));
        }
        let end = answer.expose().trim_end_matches(['\r', '\n']);
        Ok(Secret::from(end))
    }
}

fn units(bytes: &[u8]) -> impl Iterator<Item = u16> {
    bytes.chunks_exact(2).map(|unit| u16::from_ne_bytes([unit[0], unit[1]]))
}
