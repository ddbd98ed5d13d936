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
        let mut text = String::new();
        for row in self.rows.drain(..) {
            let mut line = String::new();
            for ((cell, tone), width) in row.into_iter().zip(&self.widths) {
                let fill = " ".repeat(width - cell.chars().count() + 2);
                line.push_str(&screen.paint(cell, tone));
                line.push_str(&fill);
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}
