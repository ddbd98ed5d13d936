//! Whether a server repeats what it was sent, in whatever form: then nothing of it is shown.

use std::collections::HashSet;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

/// How many characters in a row count as a part of a secret. Fewer are in many texts by chance, and are
/// of no use to anybody.
const PART: usize = 8;

/// A secret that is shorter is in any text.
const LEAST: usize = 4;

/// A text as it is, and three times unescaped: JSON in a page that a URL carries.
const ROUNDS: usize = 4;

/// Base64 of any sort, cut off anywhere.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// A text that may hold a secret, and is wiped for that.
type Text = Zeroizing<String>;

/// Whether [`PART`] characters of one of the secrets are in the text: as they are, in other case, with
/// white space or punctuation in between, escaped (XML and HTML, JSON, URLs), or in base64 or hex.
pub(crate) fn is_in(text: &str, secrets: &[&str]) -> bool {
    // A secret may look as if it were escaped, in parts, and is then unescaped along with the text.
    let mut forms: Vec<Text> = secrets.iter().flat_map(|secret| rounds(secret)).collect();
    forms.sort_unstable_by(|one, other| one.as_str().cmp(other));
    forms.dedup_by(|one, other| one.as_str() == other.as_str());
    let (whole, its_letters): (Vec<_>, Vec<_>) =
        forms.iter().map(|form| (dense(form), letters(form))).unzip();
    let whole = Parts::of(whole.iter().filter(|secret| secret.len() >= LEAST));
    let its_letters = Parts::of(its_letters.iter().filter(|secret| secret.len() >= PART));
    let plain = rounds(text);
    let decoded: Vec<Text> = plain.iter().flat_map(|text| decoded(text)).collect();
    let mut views = plain.iter().chain(&decoded);
    views.any(|view| whole.any_is_in(&dense(view)) || its_letters.any_is_in(&letters(view)))
}

/// The parts of secrets, made once: a token may have thousands, and a page may be read in as many ways.
struct Parts<'a> {
    /// Each [`PART`] characters of the longer ones.
    parts: HashSet<&'a [char]>,
    /// All of a shorter one.
    short: Vec<&'a [char]>,
}

impl<'a> Parts<'a> {
    fn of(secrets: impl Iterator<Item = &'a Zeroizing<Vec<char>>>) -> Self {
        let (long, short): (Vec<&[char]>, Vec<&[char]>) =
            secrets.map(|secret| secret.as_slice()).partition(|secret| secret.len() >= PART);
        Self { parts: long.into_iter().flat_map(|secret| secret.windows(PART)).collect(), short }
    }

    fn any_is_in(&self, text: &[char]) -> bool {
        let is_here = |secret: &&[char]| text.windows(secret.len()).any(|part| part == *secret);
        text.windows(PART).any(|part| self.parts.contains(part)) || self.short.iter().any(is_here)
    }
}

/// The text, and what it is after each round of unescaping.
fn rounds(text: &str) -> Vec<Text> {
    let first = Text::new(text.to_owned());
    std::iter::successors(Some(first), |text| Some(unescaped(text))).take(ROUNDS).collect()
}

/// Without white space, in lower case.
fn dense(text: &str) -> Zeroizing<Vec<char>> {
    chosen(text, |c| !c.is_whitespace())
}

/// Letters and digits, in lower case.
fn letters(text: &str) -> Zeroizing<Vec<char>> {
    chosen(text, char::is_alphanumeric)
}

fn chosen(text: &str, wanted: impl Fn(char) -> bool) -> Zeroizing<Vec<char>> {
    // Room for all of it from the start, as lower case at its longest: growing would leave copies behind.
    let mut chosen = Zeroizing::new(Vec::with_capacity(3 * text.len()));
    chosen.extend(text.chars().filter(|c| wanted(*c)).flat_map(char::to_lowercase));
    chosen
}

/// Each escape replaced by what it stands for.
fn unescaped(text: &str) -> Text {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let (meant, length) = escape(rest).unwrap_or_else(|| {
            let length = c.len_utf8();
            (rest.as_bytes()[..length].to_vec(), length)
        });
        bytes.extend_from_slice(&meant);
        rest = &rest[length..];
    }
    Text::new(String::from_utf8_lossy(&bytes).into_owned())
}

/// The escape that the text begins with, if it does: what it stands for, and its length. It is never shorter
/// than what it stands for.
fn escape(text: &str) -> Option<(Vec<u8>, usize)> {
    let (first, rest) = text.split_at_checked(1)?;
    match first {
        "&" => {
            let end = rest.find(';').filter(|end| *end <= LONGEST_ENTITY)?;
            Some((entity(&rest[..end]).unwrap_or_default(), end + 2))
        }
        // URLs, and mails.
        "%" | "=" => Some((byte(rest.get(..2)?)?, 3)),
        "\\" => match rest.chars().next().unwrap_or_default() {
            'u' => Some((utf8(number(rest.get(1..5)?)?)?, 6)),
            'x' => Some((byte(rest.get(1..3)?)?, 4)),
            'n' | 'r' | 't' => Some((b" ".to_vec(), 2)),
            _ => Some((Vec::new(), 1)),
        },
        _ => None,
    }
}

/// Beyond it a `;` is one by itself: `CounterClockwiseContourIntegral` is longer, and no secret's.
const LONGEST_ENTITY: usize = 10;

/// What `&NAME;` stands for; nothing for those that no letter or digit needs.
pub(crate) fn entity(name: &str) -> Option<Vec<u8>> {
    match (name.strip_prefix("#x").or(name.strip_prefix("#X")), name.strip_prefix('#')) {
        (Some(digits), _) => utf8(number(digits)?),
        (None, Some(digits)) => utf8(digits.parse().ok()?),
        (None, None) => match name {
            "amp" => Some(b"&".to_vec()),
            "lt" => Some(b"<".to_vec()),
            "gt" => Some(b">".to_vec()),
            "quot" => Some(b"\"".to_vec()),
            "apos" => Some(b"'".to_vec()),
            _ => None,
        },
    }
}

fn number(digits: &str) -> Option<u32> {
    u32::from_str_radix(digits, 16).ok()
}

fn byte(digits: &str) -> Option<Vec<u8>> {
    u8::from_str_radix(digits, 16).ok().map(|byte| vec![byte])
}

fn utf8(code: u32) -> Option<Vec<u8>> {
    char::from_u32(code).map(|c| c.to_string().into_bytes())
}

/// What the text's runs of base64 and hex stand for, wherever in the run they begin.
fn decoded(text: &str) -> Vec<Text> {
    let dense: Text = Text::new(text.split_whitespace().collect());
    let dense = Text::new(dense.replace('-', "+").replace('_', "/"));
    let base64 = |c: char| c.is_ascii_alphanumeric() || c == '+' || c == '/';
    let mut texts = Vec::new();
    for run in dense.split(|c| !base64(c)).filter(|run| run.len() >= PART) {
        for start in 0..4 {
            let end = run.len() - usize::from((run.len() - start) % 4 == 1);
            let bytes = BASE64.decode(&run[start..end]).map(Zeroizing::new);
            texts.extend(bytes.map(|bytes| lossy(&bytes)));
        }
    }
    for run in dense.split(|c: char| !c.is_ascii_hexdigit()).filter(|run| run.len() >= 2 * PART) {
        for start in 0..2 {
            let pairs = (start..run.len() - 1).step_by(2).map(|at| byte(&run[at..at + 2]));
            let bytes: Zeroizing<Vec<u8>> = Zeroizing::new(pairs.flatten().flatten().collect());
            texts.push(lossy(&bytes));
        }
    }
    texts
}

fn lossy(bytes: &[u8]) -> Text {
    Text::new(String::from_utf8_lossy(bytes).into_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// The longest of tokens, and pages that are read in very many ways: the daemon has one thread. (Looked for
    /// one by one, each of these took half a minute.)
    #[test]
    fn a_long_secret_and_a_page_of_many_words_take_no_time_to_speak_of() {
        let secret: String =
            (0..16 * 1024).map(|n: u32| char::from(b'!' + (n * n % 89) as u8)).collect();
        let words = "abcdefgh ".repeat(113);
        let hex = "0123456789abcdef ".repeat(60);
        for _ in 0..10 {
            assert!(!is_in(&words, &[&secret]) && !is_in(&hex, &[&secret]));
        }
        assert!(is_in(&format!("{words}{}", &secret[9000..9008]), &[&secret]));
    }

    use proptest::prelude::*;

    const TOKEN: &str = "Zx81+kQ/7pLm0w==:Rt5.Yb-3_Ha";

    fn each(text: &str, write: impl Fn(char) -> String) -> String {
        text.chars().map(write).collect()
    }

    /// The forms in which a text can be repeated.
    fn forms(text: &str) -> Vec<String> {
        let base64 = base64::engine::general_purpose::STANDARD;
        let url_safe = base64::engine::general_purpose::URL_SAFE_NO_PAD;
        let bytes = |write: fn(u8) -> String| text.bytes().map(write).collect::<String>();
        let json = serde_json::to_string(text).unwrap();
        vec![
            text.to_owned(),
            text.to_uppercase(),
            text.to_lowercase(),
            each(text, |c| format!("{c} ")),
            each(text, |c| format!("{c}\n ")),
            each(text, |c| format!("&#{};", c as u32)),
            each(text, |c| format!("&#x{:x};", c as u32)),
            each(text, |c| format!("&amp;#{};", c as u32)),
            each(text, |c| format!("\\u{:04x}", c as u32)),
            each(text, |c| format!("\\\\u{:04x}", c as u32)),
            text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;"),
            json.clone(),
            serde_json::to_string(&json).unwrap(),
            bytes(|byte| format!("%{byte:02X}")),
            bytes(|byte| format!("%25{byte:02x}")),
            bytes(|byte| format!("={byte:02X}")),
            bytes(|byte| format!("{byte:02x}")),
            base64.encode(text),
            url_safe.encode(text),
            base64.encode(format!("user:{text}")),
            base64.encode(format!("me:{text}")),
            each(&base64.encode(text), |c| format!("{c} ")),
            base64.encode(text).replace('=', "%3D").replace('+', "%2B"),
        ]
    }

    #[test]
    fn every_form_is_found_wherever_it_is_cut() {
        for form in forms(TOKEN) {
            assert!(is_in(&form, &[TOKEN]), "{form}");
            assert!(is_in(&format!("Error: <{form}> is bad"), &["another one", TOKEN]), "{form}");
            let letters: Vec<char> = form.chars().collect();
            let half: String = letters[..letters.len() / 2].iter().collect();
            assert!(is_in(&half, &[TOKEN]), "{half}");
            let rest: String = letters[letters.len() / 2..].iter().collect();
            assert!(is_in(&rest, &[TOKEN]), "{rest}");
        }
    }

    #[test]
    fn a_page_that_repeats_nothing_is_left_alone() {
        for page in [
            "",
            "Error The login failed. The user name or the password is not valid.",
            "The token is not valid for the command 'logoutUser'. Token is invalid or expired",
            "com.aveksa.server.runtime.ServerException: HTTP 500 at /aveksa/command.submit?cmd=loginUser",
            "100% &nbsp; a=b c:\\users &unknown; é%zz &#xffffffff;",
        ] {
            assert!(!is_in(page, &[TOKEN, "correct horse", "pw", "a", ""]), "{page}");
        }
    }

    proptest! {
        #[test]
        fn any_text_can_be_looked_at(text in any::<String>(), secret in any::<String>()) {
            let _ = is_in(&text, &[&secret]);
        }

        #[test]
        fn any_password_is_found_in_any_form(
            password in "[!-~é€ü]{12,40}", before in "[a-z ]{0,9}", after in "[a-z .]{0,9}",
        ) {
            for form in forms(&password) {
                let text = format!("{before} {form} {after}");
                prop_assert!(is_in(&text, &[&password]), "{}", text);
            }
        }
    }
}
