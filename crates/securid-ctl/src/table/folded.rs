//! Rows that are wider than the terminal.

use super::GAP;
use crate::screen::{Screen, Tone};

/// By how much what goes on in a further line is set in.
const INDENT: usize = 4;

/// A row as a line. Columns that do not fit go on in further lines, and the last one, in which errors and advice
/// stand, is folded: nothing is cut, for a person may need any of it.
pub(super) fn folded(
    row: Vec<(String, Tone)>,
    widths: &[usize],
    screen: &Screen,
    columns: usize,
) -> String {
    let last = widths.len() - 1;
    let (mut text, mut line, mut at) = (String::new(), String::new(), 0);
    for (number, ((cell, tone), width)) in row.into_iter().zip(widths).enumerate() {
        let length = cell.chars().count();
        let needs = if number == last { length } else { *width };
        if at > INDENT && needs > 0 && at + needs > columns {
            text.push_str(line.trim_end());
            text.push('\n');
            (line, at) = (" ".repeat(INDENT), INDENT);
        }
        if number == last {
            for part in fold(&cell, columns.saturating_sub(at)) {
                line.push_str(&screen.paint(part, tone));
                text.push_str(line.trim_end());
                text.push('\n');
                line = " ".repeat(INDENT);
            }
        } else {
            line.push_str(&screen.paint(cell, tone));
            line.push_str(&" ".repeat(width - length + GAP));
            at += width + GAP;
        }
    }
    text
}

/// The text in parts of at most so many characters, or a word each that is longer; at least one.
fn fold(text: &str, room: usize) -> Vec<String> {
    let mut parts = vec![String::new()];
    for word in text.split(' ') {
        let Some(part) = parts.last_mut() else { continue };
        if part.is_empty() {
            part.push_str(word);
        } else if part.chars().count() + 1 + word.chars().count() > room {
            parts.push(word.to_owned());
        } else {
            part.push(' ');
            part.push_str(word);
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Table;

    fn table(columns: usize) -> String {
        let mut table = Table::new(["ID", "INSTANCE", "STATE", "NOTE"]);
        table.row([
            ("0123456789abcdef", Tone::Plain),
            ("prod", Tone::Plain),
            ("revoking", Tone::Pending),
            ("idle 3m ago: https://iga.example.com refuses connections: is it up?", Tone::Plain),
        ]);
        table.row([
            ("fedcba9876543210", Tone::Plain),
            ("prod", Tone::Plain),
            ("active", Tone::Good),
            ("", Tone::Plain),
        ]);
        let Table { rows, widths } = table;
        rows.into_iter().map(|row| folded(row, &widths, &Screen::plain(), columns)).collect()
    }

    #[test]
    fn off_a_terminal_a_row_is_a_line() {
        assert_eq!(
            table(usize::MAX),
            "\
ID                INSTANCE  STATE     NOTE
0123456789abcdef  prod      revoking  idle 3m ago: https://iga.example.com refuses connections: is it up?
fedcba9876543210  prod      active
"
        );
    }

    #[test]
    fn free_text_that_does_not_fit_stands_below() {
        assert_eq!(
            table(60),
            "\
ID                INSTANCE  STATE     NOTE
0123456789abcdef  prod      revoking
    idle 3m ago: https://iga.example.com refuses
    connections: is it up?
fedcba9876543210  prod      active
"
        );
    }

    #[test]
    fn on_a_very_narrow_terminal_columns_go_on_below_each_other() {
        assert_eq!(
            table(30),
            "\
ID                INSTANCE
    STATE     NOTE
0123456789abcdef  prod
    revoking
    idle 3m ago:
    https://iga.example.com
    refuses connections: is it
    up?
fedcba9876543210  prod
    active
"
        );
    }

    #[test]
    fn a_word_is_never_torn() {
        assert_eq!(
            fold("see https://iga.example.com now", 10),
            ["see", "https://iga.example.com", "now"]
        );
        assert_eq!(fold("", 10), [""]);
    }
}
