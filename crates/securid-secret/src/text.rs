//! A token or a password: shown by nothing, wiped when dropped.

use std::fmt;
use std::str::Utf8Error;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use serde_json::value::RawValue;

use crate::SecretBytes;

/// A text that must not be seen: its `Debug` says `[redacted]`, it has no `Display`, and it lives in
/// memory for secrets.
///
/// It can be read from a JSON text in memory only (`serde_json::from_str` or `from_slice`): it is
/// unescaped into its own buffer here, where `serde_json` would leave a copy in a scratch buffer.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(SecretBytes);

impl Secret {
    /// No text yet, with room for `capacity` bytes of it.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self(SecretBytes::with_capacity(capacity))
    }

    /// The text itself. Whoever asks for it answers for every copy.
    #[must_use]
    pub fn expose(&self) -> &str {
        // It was made of texts alone, so none is lost here.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Appends a copy of `text`.
    pub fn push_str(&mut self, text: &str) {
        self.0.extend_from_slice(text.as_bytes());
    }

    /// Appends a character.
    pub fn push(&mut self, c: char) {
        let mut utf8 = [0; 4];
        self.push_str(c.encode_utf8(&mut utf8));
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(SecretBytes::from(text.as_bytes()))
    }
}

/// Moves it over, and wipes where it was.
impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(SecretBytes::from(text.into_bytes()))
    }
}

impl TryFrom<SecretBytes> for Secret {
    type Error = Utf8Error;

    /// Without a copy.
    fn try_from(bytes: SecretBytes) -> Result<Self, Utf8Error> {
        std::str::from_utf8(&bytes)?;
        Ok(Self(bytes))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.expose())
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        unescape(raw.get()).ok_or_else(|| D::Error::custom("a secret must be a string"))
    }
}

/// The text that a JSON string literal means; `None` if it is no string or no Unicode.
fn unescape(literal: &str) -> Option<Secret> {
    let mut rest = literal.strip_prefix('"')?.strip_suffix('"')?;
    // An escape is never shorter than what it means, so this never grows.
    let mut text = Secret::with_capacity(rest.len());
    while let Some(at) = rest.find('\\') {
        text.push_str(&rest[..at]);
        let mut after = rest[at + 1..].chars();
        text.push(match after.next()? {
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => code_point(&mut after)?,
            same @ ('"' | '\\' | '/') => same,
            _ => return None,
        });
        rest = after.as_str();
    }
    text.push_str(rest);
    Some(text)
}

/// The character of a `\u` escape; one above U+FFFF is written as two of them (RFC 8259, 7).
fn code_point(after: &mut std::str::Chars<'_>) -> Option<char> {
    let first = hex4(after)?;
    if !(0xD800..0xDC00).contains(&first) {
        return char::from_u32(first);
    }
    if after.next()? != '\\' || after.next()? != 'u' {
        return None;
    }
    let second = hex4(after)?;
    let low = second.checked_sub(0xDC00).filter(|low| *low < 0x400)?;
    char::from_u32(0x1_0000 + ((first - 0xD800) << 10) + low)
}

fn hex4(digits: &mut std::str::Chars<'_>) -> Option<u32> {
    (0..4).try_fold(0, |value, _| Some(value * 16 + digits.next()?.to_digit(16)?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_shows_it() {
        let secret = Secret::from("hunter2");
        assert_eq!(format!("{secret:?} {:?}", Some(&secret)), "[redacted] Some([redacted])");
    }

    #[test]
    fn what_is_no_string_is_refused_without_being_repeated() {
        for wrong in ["4711", "null", "{\"a\":\"4711\"}", "[]", r#""\ud800""#, r#""\udc00""#] {
            let error = serde_json::from_str::<Secret>(wrong).unwrap_err().to_string();
            assert!(error.starts_with("a secret must be a string"), "{error}");
            assert!(!error.contains("4711"), "{error}");
        }
    }

    proptest! {
        #[test]
        #[cfg_attr(miri, ignore = "nothing unsafe in it")]
        fn reads_what_serde_json_writes(text in any::<String>()) {
            let literal = serde_json::to_string(&text).unwrap();
            let read = serde_json::from_str::<Secret>(&literal).unwrap();
            prop_assert_eq!(read.expose(), &text);
        }

        #[test]
        #[cfg_attr(miri, ignore = "nothing unsafe in it")]
        fn reads_what_an_ascii_only_encoder_writes(text in any::<String>()) {
            let literal = text.encode_utf16().map(|unit| format!("\\u{unit:04X}"));
            let literal = format!("\"{}\"", literal.collect::<String>());
            let read = serde_json::from_str::<Secret>(&literal).unwrap();
            prop_assert_eq!(read.expose(), &text);
        }

        #[test]
        #[cfg_attr(miri, ignore = "nothing unsafe in it")]
        fn agrees_with_serde_json_on_any_literal(inside in r#"([a-z"/é]|\\["\\/bfnrtuxd]|\\u[dD][89aAcC]00|\\u00[0-9a-f]{2}){0,6}"#) {
            let literal = format!("\"{inside}\"");
            let theirs = serde_json::from_str::<String>(&literal).ok();
            let ours = serde_json::from_str::<Secret>(&literal).ok();
            prop_assert_eq!(ours.as_ref().map(Secret::expose), theirs.as_deref());
        }
    }
}
