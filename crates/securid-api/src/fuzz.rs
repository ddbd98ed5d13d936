//! What must hold for anything that a server, or whoever is in between, may answer. The fuzzer calls
//! these functions (`fuzz/`), and the tests give them its corpora.
//!
//! - `naive`: which replies confirm, read anew by other means.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod naive;

use std::time::Duration;

use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue, RETRY_AFTER};
use securid_secret::{Secret, SecretBytes};

use crate::answer::Answer;
use crate::words::MAX_SHOWN;
use crate::{
    Confirmed, Endpoint, FailureKind, LoginError, LoginRequest, LogoutReply, MAX_REPLY,
    RETRY_AFTER_MAX, Token, judge, login, logout,
};

/// What no message may show; long enough that nobody's page has it by chance.
const SECRET: &str = "s3cret;T0ken/of=the+test";

/// No message is longer: what we say ourselves, and what is quoted.
const LONGEST_MESSAGE: usize = 200 + MAX_SHOWN;

/// The content of a reply: it confirms exactly if a second, plain reading says so; no status but two
/// confirms at all; a token that is found in it stands in it; and nothing quotes our secret.
pub fn reply_body(content: &[u8]) {
    let revoked = judge(200, content);
    let dead = judge(401, content);
    assert_eq!(revoked == Some(Confirmed::Revoked), naive::is_reply_of_logout(content));
    assert_eq!(dead == Some(Confirmed::AlreadyInvalid), naive::says_invalid_or_expired(content));
    assert!(revoked != Some(Confirmed::AlreadyInvalid) && dead != Some(Confirmed::Revoked));
    for status in [100, 201, 204, 302, 400, 403, 404, 500, 503] {
        assert_eq!(judge(status, content), None);
    }
    if let Ok(token) = logs_in(answer(200, HeaderMap::new(), content)) {
        assert_eq!(naive::token(content).as_deref(), Some(token.expose()));
    }
    for status in [200, 302, 401, 403, 500] {
        // As it is, and with an echo of what was sent in its midst.
        says_nothing_secret(|| answer(status, HeaderMap::new(), content));
        let (before, after) = content.split_at(content.len() / 2);
        let echo = [before, SECRET.as_bytes(), after].concat();
        says_nothing_secret(|| answer(status, HeaderMap::new(), &echo));
    }
}

/// The headers of an answer, a line each after two bytes for the status: a wait is one that was asked
/// for and within its bounds, and nothing quotes our secret.
pub fn reply_headers(bytes: &[u8]) {
    let [high, low, lines @ ..] = bytes else { return };
    let status = u16::from_be_bytes([*high, *low]) % 1000;
    let mut headers = HeaderMap::new();
    for line in lines.split(|byte| *byte == b'\n') {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let name = HeaderName::from_bytes(&line[..colon]);
        let value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii());
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.append(name, value);
        }
    }
    let failure = answer(status, headers.clone(), b"").failure(&[]);
    assert_eq!(failure.kind == FailureKind::Throttled, failure.retry_after.is_some());
    if let Some(wait) = failure.retry_after {
        assert!(wait <= RETRY_AFTER_MAX && [429, 503].contains(&status));
        let text = headers.get(RETRY_AFTER).unwrap().to_str().unwrap().trim();
        if let Ok(seconds) = text.parse() {
            assert_eq!(wait, Duration::from_secs(seconds).min(RETRY_AFTER_MAX));
        }
    }
    for content in ["", "type=logoutUser", "Token is invalid or expired", "<p>no"] {
        says_nothing_secret(|| answer(status, headers.clone(), content.as_bytes()));
    }
}

/// An address: refused, or one whose normal form is its own, that other readers read alike, and that
/// sends nothing in the clear to another machine.
pub fn url(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(endpoint) = Endpoint::parse(text) else { return };
    assert_eq!(Endpoint::parse(endpoint.url()).as_ref(), Ok(&endpoint));
    let uri: hyper::Uri = endpoint.url().parse().expect("a URL that can be asked for");
    let (scheme, host) = (uri.scheme_str().unwrap(), uri.host().unwrap());
    let port = uri.port_u16().unwrap_or(if scheme == "https" { 443 } else { 80 });
    assert_eq!(endpoint.origin(), format!("{scheme}://{host}:{port}"));
    assert_eq!(uri.query(), None);
    assert!(!endpoint.url().contains('@') || uri.path().contains('@'), "a name before the host");
    if scheme != "https" {
        assert_eq!(scheme, "http");
        let loopback = host == "localhost" || host == "[::1]" || host.starts_with("127.");
        assert!(loopback, "{host} in the clear");
    }
}

fn answer(status: u16, headers: HeaderMap, content: &[u8]) -> Answer {
    Answer { status, headers, content: SecretBytes::from(content) }
}

fn logs_in(answer: Answer) -> Result<Token, LoginError> {
    let password = Secret::from(SECRET);
    let request = LoginRequest { username: "u".to_owned(), password, auth_source: None };
    login::read(&answer, &request)
}

/// Whatever the answer is taken for, what is said of it is short and can be shown.
fn says_nothing_secret(answer: impl Fn() -> Answer) {
    let token = Token::new(&Secret::from(SECRET)).unwrap();
    let said = match logout::read(&answer(), &token) {
        LogoutReply::Confirmed(confirmation) => {
            let Answer { status, content, .. } = answer();
            assert!(judge(status, &content).is_some() && content.len() <= MAX_REPLY);
            confirmation.evidence
        }
        LogoutReply::Unconfirmed(failure) => failure.to_string(),
    };
    can_be_shown(&said);
    if let Err(error) = logs_in(answer()) {
        can_be_shown(&error.to_string());
    }
}

fn can_be_shown(said: &str) {
    assert!(!said.contains(SECRET), "{said}");
    assert!(!said.contains(char::is_control), "{said:?}");
    assert!(said.chars().count() <= LONGEST_MESSAGE, "{said}");
}

#[cfg(test)]
#[path = "../../../fuzz/replay.rs"]
mod replay;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reply_bodies_of_the_corpus_hold() {
        replay::corpus("reply_body", reply_body);
    }

    #[test]
    fn reply_headers_of_the_corpus_hold() {
        replay::corpus("reply_headers", reply_headers);
    }

    #[test]
    fn urls_of_the_corpus_hold() {
        replay::corpus("url", url);
    }
}
