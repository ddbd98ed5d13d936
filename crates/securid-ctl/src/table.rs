//! Columns of text.

use crate::screen::{Screen, Tone, printable};

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
        let lines = self.lines_within(screen, usize::MAX);
        lines.into_iter().map(|line| line + "\n").collect()
    }

    /// The same as lines of at most so many characters.
    pub(crate) fn lines_within(&mut self, screen: &Screen, columns: usize) -> Vec<String> {
        let widths = &self.widths;
        let line = |row| line(row, widths, screen, columns);
        self.rows.drain(..).map(line).collect()
    }
}

fn line(row: Vec<(String, Tone)>, widths: &[usize], screen: &Screen, columns: usize) -> String {
    let (mut line, mut left) = (String::new(), columns);
    for ((mut cell, tone), width) in row.into_iter().zip(widths) {
        if let Some((cut, _)) = cell.char_indices().nth(left) {
            cell.truncate(cut);
        }
        let length = cell.chars().count();
        let fill = (width.saturating_sub(length) + 2).min(left - length);
        left -= length + fill;
        line.push_str(&screen.paint(cell, tone));
        line.push_str(&" ".repeat(fill));
    }
    line.truncate(line.trim_end().len());
    line
}
