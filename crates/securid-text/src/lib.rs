//! What of a text from elsewhere may be shown: on a terminal, in a log, in an error. The texts are a server's
//! words, a user's name, what somebody gave as an argument. This crate knows nothing of any of them. And how what
//! has no words of its own is put into some.
//!
//! - [`is_shown`]: whether a character only stands for itself;
//! - [`shown`]: a text without the others;
//! - [`mention`]: how an error repeats what somebody gave;
//! - [`span`]: how long something was waited for.

use std::{borrow::Cow, time::Duration};

/// Whether a character is one that a reader sees, or a space. Not shown is what terminals obey (controls),
/// what turns the order of a line around (bidirectional controls), what begins another line, what nobody
/// sees (zero-width and tag characters, fillers), and what means nothing or something else to each.
#[must_use]
pub fn is_shown(c: char) -> bool {
    match c {
        '\0'..='\x7f' => !c.is_ascii_control(),
        _ => (is_space(c) || is_printed(c)) && !is_invisible(c),
    }
}

/// Whether it is a space beyond ASCII, and begins no other line.
fn is_space(c: char) -> bool {
    c.is_whitespace() && !matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Whether Rust itself prints it in a text that it quotes: neither a control nor of Unicode's classes Format,
/// Private Use and Unassigned. Its tables are in every program anyway; those of a crate would be 60 kB more.
fn is_printed(c: char) -> bool {
    // Behind a letter, where a mark that combines is printed as well.
    let text = String::from_iter(['a', c]);
    text.escape_debug().eq(text.chars())
}

/// The characters that are letters or marks by their class, and that nobody sees (Unicode's
/// `Default_Ignorable_Code_Point`, less what the classes say already).
const INVISIBLE: [(char, char); 9] = [
    ('\u{34f}', '\u{34f}'),     // combining grapheme joiner
    ('\u{115f}', '\u{1160}'),   // Hangul fillers
    ('\u{17b4}', '\u{17b5}'),   // Khmer inherent vowels
    ('\u{180b}', '\u{180d}'),   // Mongolian variation selectors
    ('\u{180f}', '\u{180f}'),   // another of them
    ('\u{3164}', '\u{3164}'),   // Hangul filler
    ('\u{fe00}', '\u{fe0f}'),   // variation selectors
    ('\u{ffa0}', '\u{ffa0}'),   // halfwidth Hangul filler
    ('\u{e0100}', '\u{e01ef}'), // more variation selectors
];

fn is_invisible(c: char) -> bool {
    INVISIBLE.iter().any(|(first, last)| (*first..=*last).contains(&c))
}

/// The text with U+FFFD in the place of each character that is not to be shown, line ends among them.
#[must_use]
pub fn shown(text: &str) -> Cow<'_, str> {
    let is_plain = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
    // Nearly all texts are, and there may be a hundred thousand of them.
    if text.bytes().all(is_plain) || text.chars().all(is_shown) {
        return Cow::Borrowed(text);
    }
    let visible = |c| if is_shown(c) { c } else { char::REPLACEMENT_CHARACTER };
    Cow::Owned(text.chars().map(visible).collect())
}

/// How many characters a name has at most, to be repeated. `first.last@production` has some twenty; tokens
/// have more than thirty.
const NAME: usize = 32;

/// What somebody gave, as an error may repeat it: quoted if it could be a name, a duration or a number;
/// else only how long it is. Tokens and passwords get to the wrong place, and errors into logs.
#[must_use]
pub fn mention(text: &str) -> String {
    let length = text.chars().count();
    let like_a_name = |c: char| c.is_alphanumeric() || "._-@/:".contains(c);
    if length <= NAME && text.chars().all(like_a_name) {
        format!("{text:?}")
    } else {
        format!("[not repeated: {length} characters]")
    }
}

/// How long something took or was waited for, for people: `300ms`, `10s`, `3.3s`. What is left of a deadline has
/// nanoseconds, which nobody wants to read.
#[must_use]
pub fn span(span: Duration) -> String {
    let tenths = (span.as_millis() + 50) / 100;
    match (tenths / 10, tenths % 10) {
        (0, _) => format!("{}ms", span.as_millis()),
        (seconds, 0) => format!("{seconds}s"),
        (seconds, tenth) => format!("{seconds}.{tenth}s"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use unicode_general_category::{GeneralCategory as Is, get_general_category};

    use super::*;

    #[test]
    fn what_rust_prints_is_what_its_class_says() {
        for c in '\0'..=char::MAX {
            match get_general_category(c) {
                Is::Control
                | Is::Format
                | Is::LineSeparator
                | Is::ParagraphSeparator
                | Is::PrivateUse
                | Is::Surrogate => assert!(!is_shown(c), "{c:?}"),
                // Rust may know a newer Unicode.
                Is::Unassigned => {}
                _ => assert_eq!(is_shown(c), !is_invisible(c), "{c:?}"),
            }
        }
    }

    #[test]
    fn what_is_read_is_shown() {
        for text in ["", "Müller, 日本語, ไทย, עברית, हिन्दी", "café cafe\u{301} 🦳 → €\u{a0}1"]
        {
            assert_eq!(shown(text), text);
        }
    }

    #[test]
    fn what_is_obeyed_or_unseen_is_not() {
        let unseen = "\0\t\n\r\u{7}\u{1b}\u{7f}\u{85}\u{9b}\u{ad}\u{34f}\u{61c}\u{115f}\u{180e}\u{200b}\
            \u{200e}\u{202e}\u{2028}\u{2029}\u{2060}\u{2066}\u{2069}\u{3164}\u{e000}\u{fe0f}\u{feff}\
            \u{fff9}\u{ffff}\u{e0041}\u{e007f}\u{e0100}\u{10fffd}";
        for c in unseen.chars() {
            assert!(!is_shown(c), "{c:?}");
        }
        assert_eq!(shown("a\u{202e}b\nc"), "a\u{fffd}b\u{fffd}c");
    }

    #[test]
    fn a_span_is_as_exact_as_anybody_wants() {
        for (nanos, told) in [
            (0, "0ms"),
            (300_000_000, "300ms"),
            (1_000_000_000, "1s"),
            (1_500_000_001, "1.5s"),
            (3_333_333_333, "3.3s"),
            (9_999_999_999, "10s"),
            (120_000_000_000, "120s"),
        ] {
            assert_eq!(span(Duration::from_nanos(nanos)), told);
        }
    }

    #[test]
    fn a_name_is_repeated_and_what_could_be_a_secret_is_not() {
        for name in ["prod", "alice.smith@production", "0123456789abcdef", "15x", "a:b/c", ""] {
            assert_eq!(mention(name), format!("{name:?}"));
        }
        assert_eq!(mention("correct horse"), "[not repeated: 13 characters]");
        assert_eq!(mention(&"x".repeat(33)), "[not repeated: 33 characters]");
        assert_eq!(mention("a\u{202e}b"), "[not repeated: 3 characters]");
    }

    proptest! {
        #[test]
        fn nothing_is_obeyed_and_nothing_seen_is_lost(text in any::<String>()) {
            let shown = shown(&text);
            prop_assert_eq!(shown.chars().count(), text.chars().count());
            for (c, was) in shown.chars().zip(text.chars()) {
                prop_assert!(is_shown(c) && !c.is_control());
                prop_assert!(c == was || !is_shown(was));
            }
        }

        #[test]
        fn what_is_mentioned_is_one_short_line(text in any::<String>()) {
            let mention = mention(&text);
            prop_assert!(mention.chars().all(is_shown), "{mention:?}");
            prop_assert!(mention.chars().count() <= NAME + 10);
        }
    }
}
