//! The terminal, for a page that is drawn again and again, and as it was before.
//!
//! The page is on the alternate screen, so that nothing of it is left among what stood there before, nor where a
//! person scrolls back to.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

use std::{
    io::{self, Write as _, stdout},
    sync::{Mutex, TryLockError},
};

use system::Typing;

/// To the alternate screen; no cursor; lines that are too long end at the edge.
const BEGIN: &str = "\x1b[?1049h\x1b[?25l\x1b[?7l";

/// The opposite, in the opposite order.
const END: &str = "\x1b[?7h\x1b[?25h\x1b[?1049l";

/// How large a terminal is that does not tell: as the first ones.
const USUAL: Size = Size { columns: 80, rows: 24 };

/// What is to be put back, as long as a page is drawn. Whoever panics puts it back too.
static BEFORE: Mutex<Option<Before>> = Mutex::new(None);

/// How the terminal was.
struct Before {
    /// How it took what was typed; none if nobody types there.
    typing: Option<Typing>,
}

/// How large a page may be, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) columns: usize,
    pub(crate) rows: usize,
}

/// A page on the terminal. When it is dropped, all is as it was.
#[derive(Debug)]
pub(crate) struct Page {
    drawn: Vec<String>,
}

impl Page {
    /// Begins one. What is typed is not shown, and comes key by key.
    ///
    /// # Errors
    /// If the terminal cannot be written to, or set.
    pub(crate) fn begin() -> io::Result<Self> {
        let page = Self { drawn: Vec::new() };
        enter()?;
        Ok(page)
    }

    /// Leaves the terminal to somebody else for a while.
    pub(crate) fn pause(&self) {
        put_back();
    }

    /// What was drawn is there no more, or in another place.
    ///
    /// # Errors
    /// If the terminal cannot be written to.
    pub(crate) fn forget(&mut self) -> io::Result<()> {
        self.drawn.clear();
        write("\x1b[H\x1b[2J")
    }

    /// Draws these lines, as far as they are other ones than before.
    ///
    /// # Errors
    /// If the terminal cannot be written to.
    pub(crate) fn draw(&mut self, lines: Vec<String>) -> io::Result<()> {
        let mut text = String::new();
        for (row, line) in lines.iter().enumerate() {
            if self.drawn.get(row) != Some(line) {
                text.push_str(&format!("\x1b[{};1H{line}\x1b[K", row + 1));
            }
        }
        if lines.len() < self.drawn.len() {
            text.push_str(&format!("\x1b[{};1H\x1b[J", lines.len() + 1));
        }
        self.drawn = lines;
        write(&text)
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        put_back();
    }
}

/// How large the terminal is now.
pub(crate) fn size() -> Size {
    system::size().filter(|size| size.columns > 0 && size.rows > 0).unwrap_or(USUAL)
}

/// Ends the page that is drawn, if one is, whoever drew it.
pub(crate) fn put_back() {
    let mut before = match BEFORE.try_lock() {
        Ok(before) => before,
        Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
        // Only for a moment, by whoever changes the terminal just now: it cannot be waited for on the way out.
        Err(TryLockError::WouldBlock) => return,
    };
    if let Some(Before { typing }) = before.take() {
        // A terminal that is gone needs nothing any more.
        let _ = write(END);
        if let Some(typing) = typing {
            typing.put_back();
        }
    }
}

fn enter() -> io::Result<()> {
    let mut before = BEFORE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if before.is_none() {
        *before = Some(Before { typing: Typing::now()? });
    }
    if let Some(Before { typing: Some(typing) }) = &*before {
        typing.key_by_key()?;
    }
    write(BEGIN)
}

fn write(text: &str) -> io::Result<()> {
    let mut out = stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}
