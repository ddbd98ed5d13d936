//! The terminal of a session of processes, and its modes.

use std::{
    fs::{File, OpenOptions},
    io::{self, IsTerminal as _, Write as _, stdin},
};

use rustix::{
    event::{PollFd, PollFlags, poll},
    io::{Errno, read},
    termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr},
};
use securid_secret::{Secret, SecretBytes};
use signal_hook::consts::{SIGCONT, SIGINT};

use crate::interrupt::{Caught, obey};

/// The variable that says who has logged in here.
pub(crate) const LOGGED_IN: &str = "USER";

/// The terminal that this process belongs to.
pub(crate) struct Terminal(File);

/// As many bytes as a terminal gives out of a line.
const LINE: usize = 4096;

impl Terminal {
    /// Whether there is a person to ask.
    pub(crate) fn is_there() -> bool {
        stdin().is_terminal()
    }

    /// # Errors
    /// If this process belongs to none.
    pub(crate) fn open() -> io::Result<Self> {
        OpenOptions::new().read(true).write(true).open("/dev/tty").map(Self)
    }

    /// How many characters a line has; 0 if it does not say.
    pub(super) fn columns(&self) -> u16 {
        tcgetwinsize(&self.0).map_or(0, |size| size.ws_col)
    }

    /// # Errors
    /// If the terminal has gone.
    pub(super) fn write(&self, text: &str) -> io::Result<()> {
        (&self.0).write_all(text.as_bytes())
    }

    /// Asks for something that may be seen.
    ///
    /// # Errors
    /// [`io::ErrorKind::Interrupted`] for Ctrl-C; else if there is no answer.
    pub(crate) fn ask(&self, caught: &mut Caught, prompt: &str) -> io::Result<Secret> {
        let mode = tcgetattr(&self.0)?;
        Question { tty: &self.0, before: &mode, during: &mode, prompt }.ask(caught)
    }

    /// Asks without echo.
    ///
    /// # Errors
    /// As [`ask`](Self::ask).
    pub(crate) fn ask_secretly(&self, caught: &mut Caught, prompt: &str) -> io::Result<Secret> {
        let before = tcgetattr(&self.0)?;
        let mut during = before.clone();
        during.local_modes.remove(LocalModes::ECHO);
        Question { tty: &self.0, before: &before, during: &during, prompt }.ask(caught)
    }
}

struct Question<'a> {
    tty: &'a File,
    before: &'a Termios,
    during: &'a Termios,
    prompt: &'a str,
}

impl Question<'_> {
    fn ask(&self, caught: &mut Caught) -> io::Result<Secret> {
        let answer = self.begin().and_then(|()| self.answer(caught));
        let ended = self.end();
        let is_seen = self.during.local_modes.contains(LocalModes::ECHO);
        if !is_seen || answer.is_err() {
            self.end_line();
        }
        let line = ended.and(answer)?;
        Secret::try_from(line).map_err(|_| io::Error::other("it is no UTF-8"))
    }

    /// What is typed before the echo is off was seen, and does not count.
    fn begin(&self) -> io::Result<()> {
        tcsetattr(self.tty, OptionalActions::Flush, self.during)?;
        let mut tty = self.tty;
        tty.write_all(self.prompt.as_bytes())
    }

    fn end(&self) -> io::Result<()> {
        Ok(tcsetattr(self.tty, OptionalActions::Flush, self.before)?)
    }

    /// What comes next gets a line of its own. If even that cannot be written, nobody sees what comes next.
    fn end_line(&self) {
        let mut tty = self.tty;
        let _ = tty.write_all(b"\n");
    }

    /// A line without its end.
    fn answer(&self, caught: &mut Caught) -> io::Result<SecretBytes> {
        let mut line = SecretBytes::new();
        let mut piece = SecretBytes::zeroed(LINE);
        loop {
            let is_typed = self.wait(caught)?;
            if self.meet(caught)? {
                // We were stopped, and others may have set the terminal in their own way meanwhile.
                line.truncate(0);
                self.begin()?;
                continue;
            }
            if !is_typed {
                continue;
            }
            let length = read(self.tty, &mut *piece)?;
            line.extend_from_slice(&piece[..length]);
            match line.last() {
                None => return Err(io::ErrorKind::UnexpectedEof.into()),
                Some(b'\n') => {
                    line.truncate(line.len() - 1);
                    return Ok(line);
                }
                Some(_) if length == 0 => return Ok(line),
                Some(_) => {}
            }
        }
    }

    /// Lets the signals that came do what they do, with the terminal as it was before; whether there were any.
    fn meet(&self, caught: &mut Caught) -> io::Result<bool> {
        let mut were_any = false;
        loop {
            let signals = caught.pending();
            let Some(first) = signals.first() else { return Ok(were_any) };
            self.end()?;
            if !were_any && !matches!(*first, SIGCONT | SIGINT) {
                self.end_line();
            }
            were_any = true;
            signals.into_iter().try_for_each(obey)?;
        }
    }

    /// Waits until there is something to read, or a signal; whether there is something to read.
    fn wait(&self, caught: &Caught) -> io::Result<bool> {
        let mut both = [PollFd::new(self.tty, PollFlags::IN), PollFd::new(caught, PollFlags::IN)];
        match poll(&mut both, None) {
            Ok(_) => Ok(!both[0].revents().is_empty()),
            Err(Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}
