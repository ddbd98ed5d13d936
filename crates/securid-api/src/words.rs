//! What a server said, made fit to be shown to a person or written to a log.

use securid_secret::Secret;

use crate::syntax::text_of_page;

/// The most characters of a server's text that are shown: a line's worth, enough for the title and
/// first sentence of an error page.
const MAX_SHOWN: usize = 120;

/// The text of a page or reply, safe to show: tags dropped, white space folded, each of `secrets`
/// blotted out (a server may echo what it was sent), then as [`clean`].
pub(crate) fn words(content: &[u8], secrets: &[&str]) -> String {
    let mut text = readable(&text_of_page(content));
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        text = without(&text, secret);
    }
    clean(text.expose())
}

/// As a text; what is no UTF-8 is replaced.
fn readable(bytes: &[u8]) -> Secret {
    let mut text = Secret::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            text.push(char::REPLACEMENT_CHARACTER);
        }
    }
    text
}

fn without(text: &Secret, secret: &str) -> Secret {
    let mut shown = Secret::with_capacity(text.expose().len());
    for (n, part) in text.expose().split(secret).enumerate() {
        if n > 0 {
            shown.push_str("[hidden]");
        }
        shown.push_str(part);
    }
    shown
}

/// At most [`MAX_SHOWN`] characters of `text`, without control characters.
pub(crate) fn clean(text: &str) -> String {
    let mut shown = text.chars().filter(|c| !c.is_control());
    let mut line: String = shown.by_ref().take(MAX_SHOWN).collect();
    if shown.next().is_some() {
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shown_is_short_and_harmless() {
        assert_eq!(words(b"<h1>Not\x1b[31m\n here\x07</h1>", &[]), "Not[31m here");
        assert_eq!(words("\u{9b}31m caf\u{e9}".as_bytes(), &[]), "31m café");
        assert_eq!(words(b"caf\xe9", &[]), "caf\u{fffd}");
        let long = words("é".repeat(500).as_bytes(), &[]);
        assert_eq!(long, "é".repeat(MAX_SHOWN) + "…");
        assert_eq!(clean(&"x".repeat(MAX_SHOWN)), "x".repeat(MAX_SHOWN));
    }

    #[test]
    fn an_echoed_secret_is_not_shown_nor_its_first_part() {
        let page = format!("{}Bearer s3cr3t-token", "x".repeat(MAX_SHOWN - 12));
        let shown = words(page.as_bytes(), &["s3cr3t-token", ""]);
        assert!(!shown.contains("s3c"), "{shown}");
    }
}
