//! Rows that are wider than the terminal.

use super::{Cell, GAP, fill_up};
use crate::screen::Screen;

/// By how much what goes on in a further line is set in.
const INDENT: usize = 4;

/// Adds a row as a line. Columns that do not fit go on in further lines, and the last one, in which errors and advice
/// stand, is folded: nothing is cut, for a person may need any of it.
pub(super) fn folded(
    text: &mut String,
    row: &[Cell<'_>],
    widths: &[usize],
    screen: &Screen,
    columns: usize,
) {
    let last = widths.len() - 1;
    let (mut begin, mut at) = (text.len(), 0);
    for (number, (cell, width)) in row.iter().zip(widths).enumerate() {
        let needs = if number == last { cell.length } else { *width };
        if at > INDENT && needs > 0 && at + needs > columns {
            begin = next_line(text, begin);
            at = INDENT;
        }
        if number < last {
            screen.paint_onto(text, cell.text, cell.tone);
            fill_up(text, width - cell.length + GAP);
            at += width + GAP;
        } else if at + needs <= columns {
            screen.paint_onto(text, cell.text, cell.tone);
        } else {
            for (number, part) in fold(cell.text, columns.saturating_sub(at)).iter().enumerate() {
                if number > 0 {
                    begin = next_line(text, begin);
                }
                screen.paint_onto(text, part, cell.tone);
            }
        }
    }
    end_line(text, begin);
}

/// Ends the line that began there; where the next one begins, which is set in.
fn next_line(text: &mut String, begin: usize) -> usize {
    end_line(text, begin);
    let begin = text.len();
    fill_up(text, INDENT);
    begin
}

fn end_line(text: &mut String, begin: usize) {
    let line = text.get(begin..).unwrap_or_default();
    text.truncate(begin + line.trim_end().len());
    text.push('\n');
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
    use crate::screen::Tone;
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
        let mut text = String::new();
        table.each_row(|row, widths| folded(&mut text, row, widths, &Screen::plain(), columns));
        text
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
