//! What a person is to see on the desktop, where there is somebody who shows it.

use securid_text::is_shown;

/// How much of a text is shown: servers cut longer ones themselves, and not always well.
const LONGEST: usize = 200;

/// What is to be seen. The pending one goes when there is none any more; that something has ended
/// remains true.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Board {
    pub(crate) ended: Option<Bubble>,
    /// Counts up with each that ended: the same words may be told twice.
    pub(crate) ended_count: u64,
    pub(crate) pending: Option<Bubble>,
}

/// A title, and a text which the desktop may take for markup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bubble {
    pub(super) summary: String,
    pub(super) body: String,
}

impl Bubble {
    /// Takes out of both what does not belong there: a server's own words may be in them.
    pub(crate) fn new(summary: &str, body: &str) -> Self {
        let mut escaped = String::new();
        for letter in plain(body).chars() {
            match letter {
                '&' => escaped.push_str("&amp;"),
                '<' => escaped.push_str("&lt;"),
                '>' => escaped.push_str("&gt;"),
                other => escaped.push(other),
            }
        }
        Self { summary: plain(summary), body: escaped }
    }
}

/// Without what is not to be shown, and cut.
fn plain(text: &str) -> String {
    let mut letters = text.chars().map(|c| if is_shown(c) { c } else { ' ' });
    let mut plain: String = letters.by_ref().take(LONGEST).collect();
    if letters.next().is_some() {
        plain.push('…');
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_servers_words_are_neither_markup_nor_control_nor_endless() {
        let bubble = Bubble::new("a\x1b[1m", "<b>A & B</b>\n\u{7}");
        assert_eq!(bubble.summary, "a [1m");
        assert_eq!(bubble.body, "&lt;b&gt;A &amp; B&lt;/b&gt;  ");
        assert_eq!(Bubble::new("\u{202e}a\u{2028}b", "").summary, " a b");
        let long = Bubble::new("", &"<".repeat(5000));
        assert_eq!(long.body, format!("{}…", "&lt;".repeat(LONGEST)));
    }
}
