//! Questions to a person, on the terminal itself: standard output and error may be elsewhere. However a question ends,
//! the terminal is as it was before.

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

use crate::{
    interrupt::{Caught, obey},
    screen::printable,
};

/// The terminal that this process belongs to.
pub(crate) struct Terminal(File);

/// As many bytes as a terminal gives out of a line.
const LINE: usize = 4096;

/// How wide a terminal is that does not say.
const COLUMNS: u16 = 80;

/// How far a text from elsewhere is moved in, so that it is not taken for ours.
const MARGIN: &str = "  ";

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

    /// Shows a text from elsewhere, each line of it moved in, however narrow the terminal is.
    ///
    /// # Errors
    /// If the terminal has gone.
    pub(crate) fn tell(&self, heading: &str, text: &str) -> io::Result<()> {
        let columns = tcgetwinsize(&self.0).map_or(0, |size| size.ws_col);
        let columns = usize::from(if columns == 0 { COLUMNS } else { columns });
        let mut shown = format!("{heading}\n");
        for line in text.lines() {
            for part in wrapped(&printable(line), columns.saturating_sub(MARGIN.len() + 1)) {
                shown.push_str(&format!("{MARGIN}{part}\n"));
            }
        }
        (&self.0).write_all(shown.as_bytes())
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

/// A line in parts of so many columns at most, between words where there are some.
fn wrapped(line: &str, columns: usize) -> Vec<String> {
    // Rather too wide than too narrow: some characters take one column, some two.
    let width = |text: &str| text.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum::<usize>();
    let mut parts = vec![String::new()];
    for word in line.split_inclusive(' ') {
        if let Some(part) = parts.last()
            && !part.is_empty()
            && width(part) + width(word.trim_end()) > columns
        {
            parts.push(String::new());
        }
        for c in word.chars() {
            if let Some(part) = parts.last_mut() {
                if !part.is_empty() && width(part) + 2 > columns && c != ' ' {
                    parts.push(c.to_string());
                } else {
                    part.push(c);
                }
            }
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_fit_however_narrow_it_is() {
        assert_eq!(wrapped("", 10), [""]);
        assert_eq!(wrapped("one two three", 10), ["one two ", "three"]);
        assert_eq!(wrapped("  indented", 20), ["  indented"]);
        for (line, columns) in
            [("x".repeat(100), 10), ("日本".repeat(30), 9), ("a b ".repeat(40), 7)]
        {
            let parts = wrapped(&line, columns);
            assert_eq!(parts.concat(), line);
            for part in parts {
                let width: usize =
                    part.trim_end().chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum();
                assert!(width <= columns, "{part:?}");
            }
        }
    }
}
