//! The three forms of a reply, each read strictly: JSON, properties, a page. All pure.

use std::fmt;
use std::marker::PhantomData;

use securid_secret::SecretBytes;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// A JSON text that is `T` as a whole; `None` for anything else.
pub(crate) fn json<'de, T: Deserialize<'de>>(body: &'de [u8]) -> Option<T> {
    // Checked as a whole: serde_json lets bad UTF-8 pass in strings that it skips.
    serde_json::from_str(std::str::from_utf8(body).ok()?).ok()
}

/// A JSON *object* that holds a `T`. Serde's derived structs also take an array of their fields'
/// values; they refuse a key that stands there twice, which is wanted.
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OnlyMap<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for OnlyMap<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }

        deserializer.deserialize_map(OnlyMap(PhantomData))
    }
}

/// The values of `key` in a properties body, in order; `None` if the body is not `key=value` lines
/// throughout. Blank lines are nothing, lines end with LF or CRLF, and nothing is unescaped.
///
/// A key is ASCII letters, digits, `_`, `.` and `-`: what names an attribute or command. That is
/// what keeps out HTML, whose lines may well hold a `=`. Values are any bytes but control
/// characters other than the tab.
pub(crate) fn properties<'a>(body: &'a [u8], key: &str) -> Option<Vec<&'a [u8]>> {
    let mut values = Vec::new();
    for line in body.split(|&b| b == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.trim_ascii().is_empty() {
            continue;
        }
        let equals = line.iter().position(|&b| b == b'=')?;
        let (name, value) = (&line[..equals], &line[equals + 1..]);
        let key_like = |&b: &u8| b.is_ascii_alphanumeric() || b"_.-".contains(&b);
        if name.is_empty() || !name.iter().all(key_like) {
            return None;
        }
        if value.iter().any(|&b| b.is_ascii_control() && b != b'\t') {
            return None;
        }
        if name == key.as_bytes() {
            values.push(value);
        }
    }
    Some(values)
}

/// The text of an HTML page as a reader sees it: comments dropped, each tag a space, runs of white
/// space one space. Entities stay as they are. What follows a `<` that is never closed is dropped.
pub(crate) fn text_of_page(page: &[u8]) -> SecretBytes {
    let mut text = SecretBytes::with_capacity(page.len());
    let mut append = |between_tags: &[u8]| {
        let words = between_tags.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        for word in words {
            if !text.is_empty() {
                text.push(b' ');
            }
            text.extend_from_slice(word);
        }
    };
    let mut rest = page;
    while let Some(start) = rest.iter().position(|&b| b == b'<') {
        append(&rest[..start]);
        let tag = &rest[start..];
        let close: &[u8] = if tag.starts_with(b"<!--") { b"-->" } else { b">" };
        let end = tag.windows(close.len()).position(|window| window == close);
        rest = end.map_or(&[], |end| &tag[end + close.len()..]);
    }
    append(rest);
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Pair {
        one: u8,
        two: u8,
    }

    fn pair(text: &str) -> Option<Pair> {
        json::<Object<Pair>>(text.as_bytes()).map(|object| object.0)
    }

    #[test]
    fn an_object_is_an_object() {
        let expected = Some(Pair { one: 1, two: 2 });
        assert_eq!(pair(r#" {"two":2, "other":[{}], "one":1} "#), expected);
        for text in [
            "[1,2]",
            r#"{"one":1}"#,
            r#"{"one":1,"two":2,"two":2}"#,
            r#"{"one":1,"two":2"#,
            r#"{"one":1,"two":2}x"#,
            "null",
            "",
        ] {
            assert_eq!(pair(text), None, "{text}");
        }
        assert_eq!(
            json::<Object<Pair>>(b"{\"one\":1,\"two\":2,\"x\":\"\xff\"}").map(|o| o.0),
            None
        );
    }

    #[test]
    fn properties_are_key_value_lines_throughout() {
        for (body, expected) in [
            ("a=1", Some(vec!["1"])),
            ("b=2\r\n\r\na=1\r\n  \na=3=4\n", Some(vec!["1", "3=4"])),
            ("b=<b>bold</b>\ta", Some(vec![])),
            ("a=", Some(vec![""])),
            ("", Some(vec![])),
            ("a=1\nb", None),
            ("=1", None),
            ("a =1", None),
            (" a=1", None),
            ("# a=1", None),
            ("<input value=a>\na=1", None),
            ("a=1\rb=2", None),
            ("a=\0", None),
        ] {
            let expected = expected.map(|values| values.iter().map(|v| v.as_bytes()).collect());
            assert_eq!(properties(body.as_bytes(), "a"), expected, "{body:?}");
        }
        assert_eq!(properties(b"a=\xe9t\xe9", "a"), Some(vec![b"\xe9t\xe9".as_slice()]));
    }

    #[test]
    fn a_page_is_what_its_reader_sees() {
        for (page, text) in [
            (
                "<html><title>Error</title>\n<p>Not\t\r\n a <b>valid</b> one.",
                "Error Not a valid one.",
            ),
            ("one<br/>two", "one two"),
            ("a<!-- <p>unseen</p> -->b", "a b"),
            ("a<!-- unseen <p>", "a"),
            ("a <unclosed", "a"),
            ("a&nbsp;b &lt;c", "a&nbsp;b &lt;c"),
            ("<<>>", ">"),
            ("", ""),
        ] {
            assert_eq!(*text_of_page(page.as_bytes()), *text.as_bytes(), "{page:?}");
        }
    }
}
