//! What is printed: JSON for programs, text for people.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

use std::{
    env,
    io::{self, IsTerminal as _, Write as _, stderr, stdout},
};

use securid_ipc::messages::SessionState;
use securid_secret::SecretBytes;
/// For each text from elsewhere: a server's error, a username.
pub(crate) use securid_text::shown as printable;
use serde::Serialize;

use crate::page;
pub(crate) use system::Raw;

/// How to print.
#[derive(Debug)]
pub(crate) struct Screen {
    /// Whether `--json` was said.
    pub(crate) json: bool,
    colours: bool,
    /// Whether a person sees it on a terminal that can be drawn on.
    drawable: bool,
    /// How many characters a line of the terminal has; none if it is no terminal, whose lines have no end.
    columns: Option<usize>,
}

/// What a text is about. Colour is an extra: nothing is said by it alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Plain,
    Heading,
    Good,
    Pending,
    Bad,
}

impl Screen {
    pub(crate) fn new(json: bool) -> Self {
        let unwanted = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || env::var_os("TERM").is_some_and(|terminal| terminal == "dumb");
        let is_terminal = stdout().is_terminal();
        let (painted, drawn_on) = if is_terminal { system::takes() } else { (false, false) };
        let drawable = drawn_on && !json;
        // Off a terminal lines have no end.
        let columns = is_terminal.then(|| page::size().columns);
        Self { json, colours: painted && !unwanted, drawable, columns }
    }

    /// One that is no terminal.
    #[cfg(test)]
    pub(crate) fn plain() -> Self {
        Self { json: false, colours: false, drawable: false, columns: None }
    }

    /// Whether a page may be drawn, and drawn anew, where others print lines.
    pub(crate) fn can_be_drawn_on(&self) -> bool {
        self.drawable
    }

    /// How many characters fit into a line.
    pub(crate) fn columns(&self) -> usize {
        self.columns.unwrap_or(usize::MAX)
    }

    /// Prints the value as one line of JSON, or what `text` makes of it.
    pub(crate) fn show<T: Serialize>(
        &self,
        value: &T,
        text: impl FnOnce(&T) -> String,
    ) -> io::Result<()> {
        if self.json { self.json(value) } else { self.text(&text(value)) }
    }

    /// Prints the value as one line of JSON.
    pub(crate) fn json(&self, value: &impl Serialize) -> io::Result<()> {
        let mut out = stdout().lock();
        serde_json::to_writer(&mut out, value)?;
        out.write_all(b"\n")?;
        out.flush()
    }

    /// Prints what has a secret in it, past the buffer of standard output, which nobody would wipe.
    pub(crate) fn secret(&self, text: &SecretBytes) -> io::Result<()> {
        Raw::stdout()?.write_secret(text)
    }

    /// Prints text; whoever made it has put every foreign part through [`printable`].
    pub(crate) fn text(&self, text: &str) -> io::Result<()> {
        let mut out = stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()
    }

    /// Warns a person; with `--json` the result itself carries the warning.
    pub(crate) fn warn(&self, warning: &str) {
        if !self.json {
            complain(&format!("securid-ctl: warning: {}", printable(warning)));
        }
    }

    /// The text in the colour of its tone, where colours are wanted.
    pub(crate) fn paint(&self, text: String, tone: Tone) -> String {
        if !self.colours || tone == Tone::Plain {
            return text;
        }
        let mut painted = String::new();
        self.paint_onto(&mut painted, &text, tone);
        painted
    }

    /// Adds it to a line.
    pub(crate) fn paint_onto(&self, line: &mut String, text: &str, tone: Tone) {
        let code = match tone {
            Tone::Heading => "1",
            Tone::Good => "32",
            Tone::Pending => "33",
            Tone::Bad => "31",
            Tone::Plain => "",
        };
        if self.colours && !code.is_empty() {
            line.extend(["\x1b[", code, "m", text, "\x1b[0m"]);
        } else {
            line.push_str(text);
        }
    }
}

/// A line on standard error. One that cannot be written changes nothing: the exit status tells as well.
pub(crate) fn complain(line: &str) {
    let _ = stderr().write_all(format!("{line}\n").as_bytes());
}

impl From<&SessionState> for Tone {
    fn from(state: &SessionState) -> Self {
        match state {
            SessionState::Active | SessionState::Ended => Self::Good,
            SessionState::Revoking | SessionState::Adding => Self::Pending,
            SessionState::Lost => Self::Bad,
            SessionState::Other(_) => Self::Plain,
        }
    }
}
