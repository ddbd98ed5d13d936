//! Columns of text.

use crate::screen::{Screen, Tone, printable};

/// Rows under headings; each column is as wide as its widest cell.
#[derive(Debug)]
pub(crate) struct Table {
    rows: Vec<Vec<(String, Tone)>>,
}

impl Table {
    pub(crate) fn new<const N: usize>(headings: [&str; N]) -> Self {
        let heading = |text: &str| (text.to_owned(), Tone::Heading);
        Self { rows: vec![headings.iter().map(|text| heading(text)).collect()] }
    }

    pub(crate) fn row<const N: usize>(&mut self, cells: [(&str, Tone); N]) {
        let cells = cells.iter().map(|(text, tone)| (printable(text).into_owned(), *tone));
        self.rows.push(cells.collect());
    }

    pub(crate) fn render(&self, screen: &Screen) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|(text, _)| text.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<_> = (0..columns).map(width).collect();
        let mut text = String::new();
        for row in &self.rows {
            let mut line = String::new();
            for (column, (cell, tone)) in row.iter().enumerate() {
                line.push_str(&screen.paint(cell.clone(), *tone));
                line.push_str(&" ".repeat(widths[column] - cell.chars().count() + 2));
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}
