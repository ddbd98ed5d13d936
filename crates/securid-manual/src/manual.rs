//! What manual pages have in common.

use roff::{Inline, Roff, bold, roman};

/// What the pages are part of, as their heads say.
const WHOLE: &str = "securid-sessiond";

/// What comes first in whatever `roff` and `clap_mangen` write; once for a page is enough.
const PREAMBLE: &str = ".ie \\n(.g .ds Aq \\(aq\n.el .ds Aq '\n";

/// A manual page.
#[derive(Debug)]
pub struct Manual {
    name: String,
    /// The section of the manual, as "1" for commands.
    section: &'static str,
    body: String,
}

impl Manual {
    /// Begins a page, with its head and its name. Without a date: each day would be another page.
    pub(crate) fn begin(name: &str, section: &'static str, about: &str) -> Self {
        let mut page = Self { name: name.to_owned(), section, body: String::new() };
        let version = format!("{WHOLE} {}", env!("CARGO_PKG_VERSION"));
        let mut head = Roff::new();
        // Of an empty date nothing would be written, and the version taken for it.
        head.control("TH", [&*name.to_uppercase(), section, "\"\"", &version, WHOLE]);
        head.control("SH", ["NAME"]);
        head.text([roman(format!("{name} - {}", about.trim_end_matches('.')))]);
        page.add(&head.render());
        page
    }

    /// Adds what `roff` or `clap_mangen` have written.
    pub(crate) fn add(&mut self, rendered: &str) {
        self.body.push_str(&rendered.replace(PREAMBLE, ""));
    }

    /// Ends the page with others, as "securid.toml(5)".
    pub(crate) fn see_also(mut self, others: &[&str]) -> Self {
        let mut line: Vec<Inline> = Vec::new();
        for other in others {
            let (name, section) = other.split_once('(').expect("a section");
            let comma = if line.is_empty() { "" } else { ", " };
            line.extend([roman(comma), bold(name), roman(format!("({section}"))]);
        }
        let mut end = Roff::new();
        end.control("SH", ["SEE ALSO"]);
        end.text(line);
        self.add(&end.render());
        self
    }

    /// The name of its file.
    #[must_use]
    pub fn file(&self) -> String {
        format!("{}.{}", self.name, self.section)
    }

    /// The page as it is written, in plain ASCII: so it is read alike in any locale.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!(".\\\" Made from the source, by a test.\n{PREAMBLE}");
        for c in self.body.chars() {
            match c {
                c if c.is_ascii() => text.push(c),
                c => text.push_str(&format!("\\[u{:04X}]", u32::from(c))),
            }
        }
        text
    }
}
