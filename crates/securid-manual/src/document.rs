//! The manual page of a document in Markdown.
//!
//! Of its title nothing is taken, for the page has a name; each heading below it begins a section, and each row of
//! a table is an item: the first cell names it, the second says what it is, and the others say their column's
//! heading.

use std::mem::take;

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};
use roff::{Inline, Roff, bold, italic, roman};

use crate::Manual;

/// How far a list's text stands from its bullet, in characters.
const INDENT: &str = "3";

/// The page of a document. `others` are the pages that it refers to.
#[must_use]
pub fn of_document(
    name: &str,
    section: &'static str,
    about: &str,
    markdown: &str,
    others: &[&str],
) -> Manual {
    let mut page = Manual::begin(name, section, about);
    let mut writer = Writer::default();
    writer.roff.control("SH", ["DESCRIPTION"]);
    Parser::new_ext(markdown, Options::ENABLE_TABLES).for_each(|event| writer.event(event));
    page.add(&writer.roff.render());
    page.see_also(others)
}

#[derive(Default)]
struct Writer {
    roff: Roff,
    /// Of the paragraph, item, heading or cell that is being read.
    line: Vec<Inline>,
    /// The lists that it is in, each with the number of its next item.
    lists: Vec<Option<u64>>,
    /// Whether the item's first paragraph is still to come.
    item_begins: bool,
    /// How deep in emphasis of each kind.
    strong: bool,
    emphasised: bool,
    /// Of a link to another site, which is told behind its text.
    link: Option<String>,
    code: Option<Code>,
    table: Table,
}

/// A block of code.
enum Code {
    Shown,
    /// A diagram, which says nothing as text.
    LeftOut,
}

#[derive(Default)]
struct Table {
    headings: Vec<Vec<Inline>>,
    cells: Vec<Vec<Inline>>,
}

impl Writer {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => self.text(&text),
            Event::Code(code) => self.line.push(bold(code.into_string())),
            Event::SoftBreak | Event::HardBreak => self.line.push(roman(" ")),
            // Comments, which mark what a test writes.
            _ => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::List(first) => {
                // What an item says before the list that is in it.
                self.paragraph();
                if !self.lists.is_empty() {
                    self.roff.control("RS", [INDENT]);
                }
                self.lists.push(first);
            }
            Tag::Item => self.item_begins = true,
            Tag::CodeBlock(kind) => {
                self.paragraph();
                let diagram = matches!(&kind, CodeBlockKind::Fenced(of) if &**of == "mermaid");
                self.code = Some(if diagram { Code::LeftOut } else { Code::Shown });
                self.roff.control("RS", ["4"]).control("nf", []);
            }
            Tag::Strong => self.strong = true,
            Tag::Emphasis => self.emphasised = true,
            Tag::Link { dest_url, .. } if dest_url.starts_with("https:") => {
                self.link = Some(dest_url.into_string());
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(level) => self.heading(level),
            TagEnd::Paragraph | TagEnd::Item => self.paragraph(),
            TagEnd::List(_) => {
                self.lists.pop();
                if !self.lists.is_empty() {
                    self.roff.control("RE", []);
                }
            }
            TagEnd::CodeBlock => {
                self.code = None;
                self.roff.control("fi", []).control("RE", []);
            }
            TagEnd::Strong => self.strong = false,
            TagEnd::Emphasis => self.emphasised = false,
            TagEnd::Link => {
                if let Some(address) = self.link.take() {
                    self.line.push(roman(format!(" ({address})")));
                }
            }
            TagEnd::TableCell => self.table.cells.push(take(&mut self.line)),
            TagEnd::TableHead => self.table.headings = take(&mut self.table.cells),
            TagEnd::TableRow => self.row(),
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        match self.code {
            Some(Code::LeftOut) => {}
            Some(Code::Shown) => {
                text.lines().for_each(|line| _ = self.roff.text([roman(line)]));
            }
            None if self.strong => self.line.push(bold(text)),
            None if self.emphasised => self.line.push(italic(text)),
            None => self.line.push(roman(text)),
        }
    }

    fn heading(&mut self, level: HeadingLevel) {
        let mut line = take(&mut self.line);
        match level {
            HeadingLevel::H1 => return,
            HeadingLevel::H2 => {
                line.iter_mut().for_each(|part| {
                    if let Inline::Roman(text) = part {
                        *text = text.to_uppercase();
                    }
                });
                self.roff.control("SH", [])
            }
            _ => self.roff.control("SS", []),
        };
        // On a line of its own, a heading may have quotes in it.
        self.roff.text(line);
    }

    /// Writes the text of a paragraph, or of an item without one, if there is any.
    fn paragraph(&mut self) {
        let line = take(&mut self.line);
        if line.is_empty() {
            return;
        }
        let begins = take(&mut self.item_begins);
        match self.lists.last_mut() {
            None => self.roff.control("PP", []),
            Some(_) if !begins => self.roff.control("IP", ["\"\"", INDENT]),
            Some(None) => self.roff.control("IP", ["\\(bu", INDENT]),
            Some(Some(number)) => {
                *number += 1;
                self.roff.control("IP", [&*format!("{}.", *number - 1), INDENT])
            }
        };
        self.roff.text(line);
    }

    fn row(&mut self) {
        let mut cells = take(&mut self.table.cells).into_iter();
        self.roff.control("TP", []);
        self.roff.text(cells.next().unwrap_or_default());
        self.roff.text(cells.next().unwrap_or_default());
        for (heading, cell) in self.table.headings.iter().skip(2).zip(cells) {
            if is_nothing(&cell) {
                continue;
            }
            let mut line = heading.clone();
            line.extend((!heading.is_empty()).then(|| roman(": ")));
            line.extend(cell);
            self.roff.control("br", []);
            self.roff.text(line);
        }
    }
}

/// Whether a cell says that there is nothing to say.
fn is_nothing(cell: &[Inline]) -> bool {
    match cell {
        [] => true,
        [Inline::Roman(text)] => text == "–",
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the text becomes, below the heading of its first section.
    fn body(markdown: &str) -> String {
        let text = of_document("x", "5", "y", markdown, &["z(1)"]).text();
        let (_, body) = text.split_once(".SH DESCRIPTION\n").unwrap();
        body.split(".SH \"SEE ALSO\"").next().unwrap().to_owned()
    }

    #[test]
    fn prose_is_set() {
        let text = "# Title\n\nOf `a` and *b*,\n.c, see [d](d.md) and [e](https://e/).\n\n## More\n\n\\- it’s\n";
        let wanted = ".PP\nOf \\fBa\\fR and \\fIb\\fR, .c, see d and e (https://e/).\n\
                      .SH\nMORE\n.PP\n\\- it\\[u2019]s\n";
        assert_eq!(body(text), wanted);
    }

    #[test]
    fn a_line_that_begins_with_a_point_is_no_command() {
        assert_eq!(body(".so /etc/passwd\n"), ".PP\n\\&.so /etc/passwd\n");
        assert!(body("```\n.so x\n\\n\n```\n").contains("\n\\&.so x\n\\\\n\n"));
    }

    #[test]
    fn lists_stand_in_lists() {
        let text = "- a\n  1. b\n  2. c\n- d\n\n  e\n";
        let wanted =
            ".IP \\(bu 3\na\n.RS 3\n.IP 1. 3\nb\n.IP 2. 3\nc\n.RE\n.IP \\(bu 3\nd\n.IP \"\" 3\ne\n";
        assert_eq!(body(text), wanted);
    }

    #[test]
    fn a_row_of_a_table_is_an_item() {
        let text =
            "| key | what | default | where |\n|---|---|---|---|\n| `a` | does | `1` | – |\n";
        assert_eq!(body(text), ".TP\n\\fBa\\fR\ndoes\n.br\ndefault: \\fB1\\fR\n");
    }
}
