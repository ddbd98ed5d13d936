//! What a person sees: at most [`WIDTH`] columns, in colours where a terminal shows them.

use std::env;
use std::io::{self, IsTerminal, Write, stdout};

use crate::linux::trouble::Trouble;

/// Columns of a line; longer output of programs is folded.
const WIDTH: usize = 100;

/// Before what programs print, so that it can be told from what the demo says.
const INDENT: &str = "    ";

const BOLD: &str = "1";
const RED: &str = "1;31";
const GREEN: &str = "32";
const YELLOW: &str = "33";
const CYAN: &str = "36";

pub(crate) struct Screen {
    colours: bool,
}

impl Screen {
    pub(crate) fn new() -> Self {
        let unwanted = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || env::var_os("TERM").is_some_and(|terminal| terminal == "dumb");
        Self { colours: stdout().is_terminal() && !unwanted }
    }

    /// Says something in the demo's own words.
    pub(crate) fn tell(&self, text: &str) -> io::Result<()> {
        self.lines("", text, "")
    }

    /// What a step is about.
    pub(crate) fn heading(&self, number: usize, text: &str) -> io::Result<()> {
        self.lines("", &format!("\n{number}. {text}"), BOLD)
    }

    /// What a person types; lines that follow the first have the shell's second prompt.
    pub(crate) fn typed(&self, line: &str) -> io::Result<()> {
        self.lines("", &format!("$ {}", line.replace('\n', "\n> ")), GREEN)
    }

    /// What a program printed.
    pub(crate) fn output(&self, text: &str) -> io::Result<()> {
        self.lines(INDENT, text, "")
    }

    /// How a program ended, if not well.
    pub(crate) fn exit(&self, status: i32) -> io::Result<()> {
        self.lines(INDENT, &format!("exit {status}"), YELLOW)
    }

    /// What only the server knows.
    pub(crate) fn truth(&self, text: &str) -> io::Result<()> {
        self.lines("", &format!("server: {text}"), CYAN)
    }

    pub(crate) fn good(&self, text: &str) -> io::Result<()> {
        self.lines("", &format!("\n{text}"), GREEN)
    }

    pub(crate) fn trouble(&self, trouble: &Trouble) -> io::Result<()> {
        self.lines("", &trouble.to_string(), RED)
    }

    fn lines(&self, indent: &str, text: &str, colour: &str) -> io::Result<()> {
        let mut out = stdout().lock();
        for line in text.lines().flat_map(|line| fold(line.trim_end(), WIDTH - indent.len())) {
            if self.colours && !colour.is_empty() && !line.is_empty() {
                writeln!(out, "{indent}\x1b[{colour}m{line}\x1b[0m")?;
            } else {
                writeln!(out, "{}", format!("{indent}{line}").trim_end())?;
            }
        }
        out.flush()
    }
}

/// Folds a line at its last space before `width` columns; what follows is set in by two. Spaces
/// inside are kept, since they make columns.
fn fold(line: &str, width: usize) -> Vec<String> {
    let mut folded = Vec::new();
    let mut rest = line.to_owned();
    while let Some((end, _)) = rest.char_indices().nth(width) {
        let space = rest.get(..=end).and_then(|start| start.rfind(' '));
        // A path that is longer than a line stays whole: it is there to be copied.
        let space = space.filter(|&at| !rest[..at].trim().is_empty());
        let Some(at) = space.or_else(|| rest[end..].find(' ').map(|at| end + at)) else { break };
        let next = format!("  {}", rest[at..].trim_start());
        rest.truncate(at);
        folded.push(std::mem::replace(&mut rest, next));
    }
    folded.push(rest);
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_folded_at_spaces() {
        assert_eq!(fold("", 10), [""]);
        assert_eq!(fold("ten column", 10), ["ten column"]);
        assert_eq!(fold("more than ten", 10), ["more than", "  ten"]);
        assert_eq!(fold("a  b  c  d  e", 10), ["a  b  c  d", "  e"]);
        assert_eq!(fold("a /path/without/an/end b", 10), ["a", "  /path/without/an/end", "  b"]);
        assert_eq!(fold("größer als zehn", 10), ["größer als", "  zehn"]);
    }
}
