//! Columns of text.

mod folded;

use crate::screen::{Screen, Tone, printable};
use folded::folded;

/// Between two columns.
const GAP: usize = 2;

/// Rows under headings; each column is as wide as its widest cell so far.
#[derive(Debug)]
pub(crate) struct Table {
    /// The cells of all rows, one behind the other: ten thousand rows are a few pieces of memory.
    text: String,
    /// Where in it each ends.
    ends: Vec<(usize, Tone)>,
    widths: Vec<usize>,
}

/// What stands in a row under one heading.
#[derive(Debug, Clone, Copy)]
struct Cell<'a> {
    text: &'a str,
    tone: Tone,
    /// How many characters it has.
    length: usize,
}

impl Table {
    pub(crate) fn new<const N: usize>(headings: [&str; N]) -> Self {
        let mut table = Self { text: String::new(), ends: Vec::new(), widths: vec![0; N] };
        table.row(headings.map(|text| (text, Tone::Heading)));
        table
    }

    pub(crate) fn row<const N: usize>(&mut self, cells: [(&str, Tone); N]) {
        for (width, (text, tone)) in self.widths.iter_mut().zip(cells) {
            let text = printable(text);
            *width = length(&text).max(*width);
            self.text.push_str(&text);
            self.ends.push((self.text.len(), tone));
        }
    }

    /// The rows since the last time; first of all the headings.
    pub(crate) fn render(&mut self, screen: &Screen) -> String {
        let columns = screen.columns();
        let wide = self.widths.iter().map(|width| width + GAP).sum::<usize>();
        let rows = self.ends.len() / self.widths.len();
        // About so much, and mostly more than enough.
        let mut text = String::with_capacity(rows.saturating_mul(wide).min(self.text.len() * 4));
        self.each_row(|row, widths| folded(&mut text, row, widths, screen, columns));
        self.clear();
        text
    }

    /// The same for a page that is drawn: a line each, cut after so many characters.
    pub(crate) fn lines_within(&mut self, screen: &Screen, columns: usize) -> Vec<String> {
        let mut lines = Vec::new();
        self.each_row(|row, widths| lines.push(line(row, widths, screen, columns)));
        self.clear();
        lines
    }

    fn each_row(&self, mut take: impl FnMut(&[Cell<'_>], &[usize])) {
        let mut begin = 0;
        let mut row = Vec::with_capacity(self.widths.len());
        for ends in self.ends.chunks(self.widths.len()) {
            row.clear();
            for &(end, tone) in ends {
                let text = self.text.get(begin..end).unwrap_or_default();
                row.push(Cell { text, tone, length: length(text) });
                begin = end;
            }
            take(&row, &self.widths);
        }
    }

    fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
    }
}

/// How many characters a text has; of one that has no others than ASCII's that is known without a look at each.
fn length(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.chars().count() }
}

/// A row as a line, cut where it does not fit.
fn line(row: &[Cell<'_>], widths: &[usize], screen: &Screen, columns: usize) -> String {
    let (mut line, mut left) = (String::new(), columns);
    for (&Cell { text, tone, length }, width) in row.iter().zip(widths) {
        let cut = text.char_indices().nth(left).map_or(text.len(), |(cut, _)| cut);
        let length = length.min(left);
        let fill = (width.saturating_sub(length) + GAP).min(left - length);
        left -= length + fill;
        screen.paint_onto(&mut line, &text[..cut], tone);
        fill_up(&mut line, fill);
    }
    line.truncate(line.trim_end().len());
    line
}

fn fill_up(line: &mut String, spaces: usize) {
    line.extend(std::iter::repeat_n(' ', spaces));
}
