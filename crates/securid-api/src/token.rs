//! The session token: the secret that all of this is about.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use hyper::header::HeaderValue;
use securid_secret::Secret;
use thiserror::Error;

/// A session token that can stand in a request header.
///
/// Its clones share one copy of the secret, which is wiped when the last of them is dropped, those
/// inside requests under way among them.
#[derive(Clone)]
pub struct Token {
    line: Line,
    /// Made once, so that an attempt copies nothing: it points to the bytes of `line`.
    header: HeaderValue,
}

impl Token {
    /// The longest token that is taken, in bytes. Servers hand out some dozens; 16 KiB leaves room
    /// for a signed one, and is below what servers take as a header.
    pub const MAX_LEN: usize = 16 * 1024;

    /// A token of this text.
    ///
    /// # Errors
    /// [`BadToken`] if it could not stand in an `Authorization` header.
    pub fn new(text: &Secret) -> Result<Self, BadToken> {
        let text = text.expose();
        if text.is_empty() {
            return Err(BadToken::Empty);
        }
        if text.len() > Self::MAX_LEN {
            return Err(BadToken::TooLong);
        }
        for c in text.chars() {
            match c {
                ' ' => return Err(BadToken::Space),
                c if c.is_control() => return Err(BadToken::ControlCharacter),
                c if !c.is_ascii() => return Err(BadToken::NonAscii),
                _ => {}
            }
        }
        let mut line = Secret::with_capacity(SCHEME.len() + text.len());
        line.push_str(SCHEME);
        line.push_str(text);
        let line = Line(Arc::new(line));
        let mut header = HeaderValue::from_maybe_shared(Bytes::from_owner(line.clone()))
            .map_err(|_| BadToken::ControlCharacter)?;
        header.set_sensitive(true);
        Ok(Self { line, header })
    }

    /// The secret itself. Never log it, and copy it into memory for secrets only.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.line.0.expose().strip_prefix(SCHEME).unwrap_or_default()
    }

    /// `Bearer TOKEN`, marked as sensitive.
    pub(crate) fn header(&self) -> HeaderValue {
        self.header.clone()
    }
}

impl PartialEq for Token {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl Eq for Token {}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(redacted)")
    }
}

/// Why a text is no token. None of them repeats it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BadToken {
    /// Nothing at all.
    #[error("the token is empty")]
    Empty,
    /// Longer than [`Token::MAX_LEN`].
    #[error("the token is longer than {} bytes", Token::MAX_LEN)]
    TooLong,
    /// A control character: a line end, most often.
    #[error("the token holds a control character (a line end?)")]
    ControlCharacter,
    /// A space.
    #[error("the token holds a space")]
    Space,
    /// Anything beyond ASCII.
    #[error("the token holds a character that is not ASCII")]
    NonAscii,
}

/// What stands before the token in the `Authorization` header (RFC 6750, section 2.1).
const SCHEME: &str = "Bearer ";

/// [`SCHEME`] and token, shared with the header values made of it.
#[derive(Clone)]
struct Line(Arc<Secret>);

impl AsRef<[u8]> for Line {
    fn as_ref(&self) -> &[u8] {
        self.0.expose().as_bytes()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn token(text: &str) -> Result<Token, BadToken> {
        Token::new(&Secret::from(text))
    }

    #[test]
    fn each_refusal_is_its_own() {
        let longest = "x".repeat(Token::MAX_LEN);
        assert!(token(&longest).is_ok());
        for (text, refusal) in [
            ("", BadToken::Empty),
            (&*format!("{longest}x"), BadToken::TooLong),
            ("two words", BadToken::Space),
            ("line\n", BadToken::ControlCharacter),
            ("nul\0", BadToken::ControlCharacter),
            ("delete\x7f", BadToken::ControlCharacter),
            ("c1\u{85}", BadToken::ControlCharacter),
            ("schlüssel", BadToken::NonAscii),
        ] {
            assert_eq!(token(text), Err(refusal), "{text:?}");
            assert!(text.is_empty() || !refusal.to_string().contains(text));
        }
    }

    #[test]
    fn every_visible_ascii_character_is_taken_and_sent() {
        let all: String = ('!'..='~').collect();
        let token = token(&all).unwrap();
        assert_eq!(token.expose(), all);
        assert_eq!(token.header().as_bytes(), format!("Bearer {all}").as_bytes());
    }

    #[test]
    fn debug_shows_nothing() {
        let token = token("hush-hush").unwrap();
        let shown = format!("{token:?} {token:#?} {:?}", token.header());
        assert!(!shown.contains("hush"), "{shown}");
    }

    #[test]
    fn one_copy_serves_clones_and_headers_and_goes_with_the_last() {
        let token = token("shared").unwrap();
        let inside = Arc::downgrade(&token.line.0);
        let (clone, header) = (token.clone(), token.header());
        assert_eq!(clone.expose().as_ptr(), token.expose().as_ptr());
        assert_eq!(header.as_bytes()[SCHEME.len()..].as_ptr(), token.expose().as_ptr());
        drop((token, clone));
        assert!(inside.upgrade().is_some(), "the header still needs it");
        drop(header);
        assert!(inside.upgrade().is_none());
    }
}
