//! What a server said, made fit to be shown to a person or written to a log.

use zeroize::Zeroizing;

use crate::syntax::text_of_page;

/// The most characters of a server's text that are shown: a line's worth, enough for the title and
/// first sentence of an error page.
pub(crate) const MAX_SHOWN: usize = 120;

/// The text of a page or reply, safe to show: each of `secrets` blotted out (a server may echo what it
/// was sent), tags dropped, white space folded, then as [`clean`].
pub(crate) fn words(content: &[u8], secrets: &[&str]) -> String {
    let mut text = Zeroizing::new(String::from_utf8_lossy(content).into_owned());
    // As it was sent: a secret may look like a tag.
    for secret in secrets {
        blot(&mut text, secret);
    }
    text = as_shown(&text);
    // And as it would be shown: what was dropped may have stood in its midst.
    for secret in secrets {
        blot(&mut text, &folded(secret));
    }
    clean(&text)
}

/// What a reader of the page sees.
fn as_shown(page: &str) -> Zeroizing<String> {
    let text = Zeroizing::new(text_of_page(without_controls(page).as_bytes()));
    Zeroizing::new(String::from_utf8_lossy(&text).into_owned())
}

/// White space folded as on a page, no other control characters.
fn folded(text: &str) -> Zeroizing<String> {
    let text = without_controls(text);
    Zeroizing::new(text.split_ascii_whitespace().collect::<Vec<_>>().join(" "))
}

fn without_controls(text: &str) -> Zeroizing<String> {
    let stays = |c: &char| c.is_ascii_whitespace() || !c.is_control();
    Zeroizing::new(text.chars().filter(stays).collect())
}

fn blot(text: &mut Zeroizing<String>, secret: &str) {
    if !secret.is_empty() && text.contains(secret) {
        *text = Zeroizing::new(text.replace(secret, "[hidden]"));
    }
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

    #[test]
    fn what_is_dropped_for_showing_does_not_bring_a_secret_back() {
        for (page, secret) in [
            ("Bearer s3c\x1bret\x07-token", "s3cret-token"),
            ("no user with p<w>rd here", "p<w>rd"),
            ("no user with my  pass \n word here", "my  pass word"),
            ("no user with p\u{9b}w-long here", "p\u{9b}w-long"),
        ] {
            let shown = words(page.as_bytes(), &[secret]);
            let parts = ["s3c", "rd", "pass", "w-long"];
            assert!(!parts.iter().any(|part| shown.contains(part)), "{shown}");
            assert!(shown.contains("[hidden]"), "{shown}");
        }
    }
}
