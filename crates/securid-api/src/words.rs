//! What a server said, made fit to be shown to a person or written to a log.

use securid_secret::Secret;

use crate::echo;
use crate::syntax::text_of_page;

/// The most characters of a server's text that are shown: a line's worth, enough for the title and
/// first sentence of an error page.
pub(crate) const MAX_SHOWN: usize = 120;

/// How many characters are looked at for a secret. What is beyond can be in no part that is shown: its
/// longest form is some 12 characters for one (`&amp;#x0041;`).
const MAX_LOOKED_AT: usize = 1024;

/// The text of a page or reply, safe to show: each of `secrets` blotted out (a server may echo what it was
/// sent), tags dropped, white space folded, then as [`clean`]. What repeats a secret in any
/// other way is not shown at all.
pub(crate) fn words(content: &[u8], secrets: &[&str]) -> String {
    // First as it was sent, for a secret may look like a tag; then as it would be shown.
    let said = without(readable(content), secrets);
    let text = without(readable(&text_of_page(said.expose().as_bytes())), secrets);
    clean(guarded(text.expose(), secrets).expose())
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

fn without(mut text: Secret, secrets: &[&str]) -> Secret {
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        if !text.expose().contains(secret) {
            continue;
        }
        let mut shown = Secret::with_capacity(text.expose().len());
        for (n, part) in text.expose().split(secret).enumerate() {
            if n > 0 {
                shown.push_str("[hidden]");
            }
            shown.push_str(part);
        }
        text = shown;
    }
    text
}

/// The text if it repeats none of the secrets, else that it does.
pub(crate) fn guarded(text: &str, secrets: &[&str]) -> Secret {
    // What is not shown may stand between what is.
    let mut shown = Secret::with_capacity(text.len().min(4 * MAX_LOOKED_AT));
    let visible = text.chars().filter(|c| securid_text::is_shown(*c));
    visible.take(MAX_LOOKED_AT).for_each(|c| shown.push(c));
    if echo::is_in(shown.expose(), secrets) {
        return Secret::from("[not shown: it repeats what it was sent]");
    }
    shown
}

/// At most [`MAX_SHOWN`] characters of `text`, without what is not to be shown.
pub(crate) fn clean(text: &str) -> String {
    let mut shown = text.chars().filter(|c| securid_text::is_shown(*c));
    let mut line: String = shown.by_ref().take(MAX_SHOWN).collect();
    if shown.next().is_some() {
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECRET: &str = "s3cr3t-t0ken-8f31";

    #[test]
    fn shown_is_short_and_harmless() {
        assert_eq!(words(b"<h1>Not\x1b[31m\n here\x07</h1>", &[]), "Not[31m here");
        assert_eq!(words("\u{9b}31m caf\u{e9}".as_bytes(), &[]), "31m café");
        assert_eq!(words("\u{202e}gpj.exe\u{2028}\u{200b}\u{e0041}".as_bytes(), &[]), "gpj.exe");
        assert_eq!(words(b"caf\xe9", &[]), "caf\u{fffd}");
        let long = words("é".repeat(500).as_bytes(), &[]);
        assert_eq!(long, "é".repeat(MAX_SHOWN) + "…");
        assert_eq!(clean(&"x".repeat(MAX_SHOWN)), "x".repeat(MAX_SHOWN));
    }

    #[test]
    fn an_echoed_secret_is_not_shown_nor_its_first_part() {
        let page = format!("{}Bearer {SECRET}", "x".repeat(MAX_SHOWN - 12));
        let shown = words(page.as_bytes(), &[SECRET, ""]);
        assert!(!shown.contains("s3c"), "{shown}");
    }

    #[test]
    fn nor_is_one_in_pieces_or_in_disguise() {
        for echo in [
            "s3cr3t-<b>t0ken</b>-8f31",
            "s3cr3t-t0k\u{0}en-8f31",
            "s3cr3t\u{200b}-t0ken-8f31",
            "s3cr3t-t0ken-",
            "&#115;3cr3t-t0ken",
            "czNjcjN0LXQwa2VuLThmMzE=",
        ] {
            let shown = words(format!("Sorry: {echo}").as_bytes(), &[SECRET]);
            assert_eq!(shown, "[not shown: it repeats what it was sent]", "{echo}");
            // One that is cut off at the end of what is shown.
            let page = format!("{}{echo}", "x ".repeat(MAX_SHOWN / 2 - 3));
            let shown = words(page.as_bytes(), &[SECRET]);
            assert!(!shown.contains("s3c") && !shown.contains("czN"), "{shown}");
        }
    }

    proptest! {
        #[test]
        fn whatever_it_says_is_a_line_that_nothing_obeys(page in any::<Vec<u8>>()) {
            let shown = words(&page, &[SECRET]);
            prop_assert!(shown.chars().all(securid_text::is_shown), "{shown:?}");
            prop_assert!(shown.chars().count() <= MAX_SHOWN + 1);
        }

        #[test]
        fn no_part_of_a_secret_is_shown(
            before in "[ -~\u{200b}]{0,200}", after in "\\PC{0,200}", start in 0_usize..9, cut in "[\u{0} \u{200e}]?",
        ) {
            let part = &SECRET[start..start + 8];
            let page = format!("{before}{}{cut}{}{after}", &part[..4], &part[4..]);
            let shown = words(page.as_bytes(), &[SECRET]);
            prop_assert!(!shown.contains(part), "{shown:?}");
        }
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
            assert!(shown.contains("[hidden]") || shown.starts_with("[not shown"), "{shown}");
        }
    }
}
