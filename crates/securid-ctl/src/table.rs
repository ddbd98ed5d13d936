//! Columns of text.

mod folded;

use crate::screen::{Screen, Tone, printable};
use folded::folded;

/// Between two columns.
const GAP: usize = 2;

/// Rows under headings; each column is as wide as its widest cell so far.
#[derive(Debug)]
pub(crate) struct Table {
    rows: Vec<Vec<(String, Tone)>>,
    widths: Vec<usize>,
}

impl Table {
    pub(crate) fn new<const N: usize>(headings: [&str; N]) -> Self {
        let heading = |text: &str| (text.to_owned(), Tone::Heading);
        Self {
            rows: vec![headings.iter().map(|text| heading(text)).collect()],
            widths: headings.iter().map(|text| text.chars().count()).collect(),
        }
    }

    pub(crate) fn row<const N: usize>(&mut self, cells: [(&str, Tone); N]) {
        let cells = cells.map(|(text, tone)| (printable(text).into_owned(), tone));
        for (width, (text, _)) in self.widths.iter_mut().zip(&cells) {
            *width = text.chars().count().max(*width);
        }
        self.rows.push(cells.into());
    }

    /// The rows since the last time; first of all the headings.
    pub(crate) fn render(&mut self, screen: &Screen) -> String {
        let (widths, columns) = (&self.widths, screen.columns());
        self.rows.drain(..).map(|row| folded(row, widths, screen, columns)).collect()
    }

    /// The same for a page that is drawn: a line each, cut after so many characters.
    pub(crate) fn lines_within(&mut self, screen: &Screen, columns: usize) -> Vec<String> {
        let widths = &self.widths;
        let line = |row| line(row, widths, screen, columns);
        self.rows.drain(..).map(line).collect()
    }
}

/// A row as a line, cut where it does not fit.
fn line(row: Vec<(String, Tone)>, widths: &[usize], screen: &Screen, columns: usize) -> String {
    let (mut line, mut left) = (String::new(), columns);
    for ((mut cell, tone), width) in row.into_iter().zip(widths) {
        if let Some((cut, _)) = cell.char_indices().nth(left) {
            cell.truncate(cut);
        }
        let length = cell.chars().count();
        let fill = (width.saturating_sub(length) + GAP).min(left - length);
        left -= length + fill;
        line.push_str(&screen.paint(cell, tone));
        line.push_str(&" ".repeat(fill));
    }
    line.truncate(line.trim_end().len());
    line
}
