//! The body of `loginUser`: XML fragments without a root, of which the documentation knows three.

/// What a login says.
#[derive(PartialEq, Eq)]
pub(crate) struct LoginBody {
    pub(crate) username: String,
    pub(crate) password: String,
    pub(crate) auth_source: Option<String>,
}

/// A body that is not as documented. Says no value: one of them may be a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadLoginBody {
    #[error("it is not UTF-8")]
    NotText,
    #[error("it is not a sequence of elements with text")]
    NotElements,
    #[error("it has an element other than username, password and authsource")]
    UnknownElement,
    #[error("an element stands there twice")]
    Twice,
    #[error("a value has a character that XML does not allow there, or an unknown entity")]
    BadText,
    #[error("username or password is missing")]
    Missing,
}

impl LoginBody {
    /// Reads the elements in whatever order, with white space between them.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, BadLoginBody> {
        let mut rest = str::from_utf8(body).map_err(|_| BadLoginBody::NotText)?.trim_ascii();
        let (mut username, mut password, mut auth_source) = (None, None, None);
        while !rest.is_empty() {
            let (name, text, after) = element(rest)?;
            let value = match name {
                "username" => &mut username,
                "password" => &mut password,
                "authsource" => &mut auth_source,
                _ => return Err(BadLoginBody::UnknownElement),
            };
            if value.replace(decode(text)?).is_some() {
                return Err(BadLoginBody::Twice);
            }
            rest = after.trim_ascii_start();
        }
        Ok(Self {
            username: username.ok_or(BadLoginBody::Missing)?,
            password: password.ok_or(BadLoginBody::Missing)?,
            auth_source,
        })
    }
}

/// The first element: its name, its undecoded text, and what comes after it. Neither attributes nor
/// elements within elements: the documentation has none.
fn element(xml: &str) -> Result<(&str, &str, &str), BadLoginBody> {
    let (name, rest) = xml
        .strip_prefix('<')
        .and_then(|rest| rest.split_once('>'))
        .ok_or(BadLoginBody::NotElements)?;
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric()) {
        return Err(BadLoginBody::NotElements);
    }
    let (text, rest) = rest.split_once('<').ok_or(BadLoginBody::NotElements)?;
    let after = rest
        .strip_prefix('/')
        .and_then(|rest| rest.strip_prefix(name))
        .and_then(|rest| rest.trim_ascii_start().strip_prefix('>'))
        .ok_or(BadLoginBody::NotElements)?;
    Ok((name, text, after))
}

/// Decodes entities: the five of XML, and numbers.
fn decode(text: &str) -> Result<String, BadLoginBody> {
    // The only place where XML forbids a bare `>`.
    if text.contains("]]>") || !text.chars().all(is_xml_char) {
        return Err(BadLoginBody::BadText);
    }
    let mut decoded = String::with_capacity(text.len());
    let mut pieces = text.split('&');
    decoded.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let (entity, plain) = piece.split_once(';').ok_or(BadLoginBody::BadText)?;
        decoded.push(entity_char(entity).ok_or(BadLoginBody::BadText)?);
        decoded.push_str(plain);
    }
    Ok(decoded)
}

fn entity_char(entity: &str) -> Option<char> {
    match entity {
        "amp" => return Some('&'),
        "lt" => return Some('<'),
        "gt" => return Some('>'),
        "quot" => return Some('"'),
        "apos" => return Some('\''),
        _ => {}
    }
    let number = entity.strip_prefix('#')?;
    let (digits, radix) = number.strip_prefix('x').map_or((number, 10), |hex| (hex, 16));
    // `from_str_radix` would take a sign.
    let code = digits.starts_with(|c: char| c.is_digit(radix)).then_some(digits)?;
    char::from_u32(u32::from_str_radix(code, radix).ok()?).filter(|c| is_xml_char(*c))
}

/// The production `Char` of XML 1.0.
fn is_xml_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn parse(xml: &str) -> Result<(String, String, Option<String>), BadLoginBody> {
        LoginBody::parse(xml.as_bytes()).map(|b| (b.username, b.password, b.auth_source))
    }

    #[test]
    fn reads_any_order_and_white_space() {
        let (username, password, auth_source) = parse(
            " <authsource>AD &amp; more</authsource>\n<password> p </password >\t<username>alice</username>\n",
        )
        .unwrap();
        assert_eq!((username.as_str(), password.as_str()), ("alice", " p "));
        assert_eq!(auth_source.as_deref(), Some("AD & more"));
    }

    #[test]
    fn decodes_entities_once() {
        let xml = "<username>&lt;&gt;&quot;&apos;&amp;lt;&#65;&#x1F600;</username><password>ä&#9;></password>";
        let (username, password, _) = parse(xml).unwrap();
        assert_eq!(username, "<>\"'&lt;A\u{1f600}");
        assert_eq!(password, "ä\t>");
    }

    #[test]
    fn refuses_what_is_not_documented() {
        use BadLoginBody::*;
        let with_password =
            |value: &str| format!("<username>a</username><password>{value}</password>");
        for (xml, why) in [
            (String::new(), Missing),
            ("<username>a</username>".into(), Missing),
            ("<password>a</password>".into(), Missing),
            ("{\"username\":\"a\"}".into(), NotElements),
            ("<username>a</username>,<password>b</password>".into(), NotElements),
            ("<username>a</password>".into(), NotElements),
            ("<username>a</username".into(), NotElements),
            ("<username a='b'>a</username>".into(), NotElements),
            ("<login><username>a</username></login>".into(), NotElements),
            ("<user>a</user>".into(), UnknownElement),
            ("<username>a</username><username>a</username>".into(), Twice),
            (with_password("a<b"), NotElements),
            (with_password("a&b"), BadText),
            (with_password("a&b;c"), BadText),
            (with_password("a]]>b"), BadText),
            (with_password("&#0;"), BadText),
            (with_password("&#+65;"), BadText),
            (with_password("&#xD800;"), BadText),
            (with_password("\u{1}"), BadText),
        ] {
            assert_eq!(parse(&xml), Err(why), "{xml}");
        }
        assert_eq!(LoginBody::parse(b"<username>\xff</username>").err(), Some(NotText));
    }
}
