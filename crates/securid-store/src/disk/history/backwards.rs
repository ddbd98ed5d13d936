//! The lines of a file from the last to the first, with no more of it in memory than a block and a line.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use super::LONGEST_LINE;

/// How much is read at once.
const BLOCK: usize = 64 * 1024;

/// Walks through a file towards its beginning.
pub(super) struct Backwards {
    file: File,
    /// What was read and not given yet; it ends where the next line does.
    window: Vec<u8>,
    /// Where in the file the window begins.
    start: u64,
    /// So many bytes at the window's beginning were not searched for a newline yet.
    unsearched: usize,
    /// Whether the line that ends here is too long, so that its end is not in the window any more.
    is_too_long: bool,
    is_over: bool,
}

/// A line of the file.
pub(super) struct Line {
    /// Where it begins.
    pub(super) at: u64,
    /// What it is, without its newline; `None` if it is longer than [`LONGEST_LINE`].
    pub(super) bytes: Option<Vec<u8>>,
}

impl Backwards {
    /// The lines that end before this place. Without a newline at its end, the last is being written just now, or
    /// was cut off: it is left out.
    pub(super) fn before(file: File, end: u64) -> io::Result<Self> {
        let mut this = Self {
            file,
            window: Vec::new(),
            start: end,
            unsearched: 0,
            is_too_long: false,
            is_over: false,
        };
        // What stands behind the last newline.
        this.next()?;
        Ok(this)
    }

    /// The next line; `None` after the first of the file.
    pub(super) fn next(&mut self) -> io::Result<Option<Line>> {
        while !self.is_over {
            let newline = self.window[..self.unsearched].iter().rposition(|&b| b == b'\n');
            if let Some(newline) = newline {
                let bytes = self.window.split_off(newline + 1);
                // It is the end of the line before.
                self.window.pop();
                self.unsearched = newline;
                return Ok(Some(self.line(newline as u64 + 1, bytes)));
            }
            if self.start == 0 {
                self.is_over = true;
                let bytes = std::mem::take(&mut self.window);
                return Ok(Some(self.line(0, bytes)));
            }
            self.read_block()?;
        }
        Ok(None)
    }

    fn line(&mut self, at: u64, bytes: Vec<u8>) -> Line {
        let fits = !std::mem::take(&mut self.is_too_long) && bytes.len() <= LONGEST_LINE;
        Line { at: self.start + at, bytes: fits.then_some(bytes) }
    }

    fn read_block(&mut self) -> io::Result<()> {
        if self.window.len() > LONGEST_LINE {
            self.is_too_long = true;
            self.window.clear();
        }
        let length = usize::try_from(self.start).unwrap_or(usize::MAX).min(BLOCK);
        let mut window = vec![0; length];
        self.start -= length as u64;
        self.file.seek(SeekFrom::Start(self.start))?;
        self.file.read_exact(&mut window)?;
        window.append(&mut self.window);
        self.window = window;
        self.unsearched = length;
        Ok(())
    }
}
