//! Questions to a person, on the terminal itself: standard output and error may be elsewhere. However a question ends,
//! the terminal is as it was before.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

use std::io;

use crate::screen::printable;
pub(crate) use system::{LOGGED_IN, Terminal};

/// How wide a terminal is that does not say.
const COLUMNS: u16 = 80;

/// How far a text from elsewhere is moved in, so that it is not taken for ours.
const MARGIN: &str = "  ";

impl Terminal {
    /// Shows a text from elsewhere, each line of it moved in, however narrow the terminal is.
    ///
    /// # Errors
    /// If the terminal has gone.
    pub(crate) fn tell(&self, heading: &str, text: &str) -> io::Result<()> {
        let columns = self.columns();
        let columns = usize::from(if columns == 0 { COLUMNS } else { columns });
        let mut shown = format!("{heading}\n");
        for line in text.lines() {
            for part in wrapped(&printable(line), columns.saturating_sub(MARGIN.len() + 1)) {
                shown.push_str(&format!("{MARGIN}{part}\n"));
            }
        }
        self.write(&shown)
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
