//! A complete answer from whoever answered, and what is wrong with one that was not hoped for.

use hyper::HeaderMap;
use hyper::header::{DATE, HeaderValue, LOCATION};
use securid_secret::SecretBytes;
use securid_text::span;

use crate::date::{instant, rfc9110};
use crate::retry_after::retry_after;
use crate::words::words;
use crate::{Failure, FailureKind};

/// An answer whose content came to its end, within [`MAX_REPLY`](crate::MAX_REPLY) and in time.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// The one to `loginUser` holds a token.
    pub(crate) content: SecretBytes,
}

impl Answer {
    /// The answer's `Date`, in the one form that servers may send; none if it is no date: it could be
    /// anything then, a token that was sent among it.
    pub(crate) fn date(&self) -> Option<String> {
        rfc9110(instant(&self.headers, DATE)?)
    }

    /// What it says, fit to be shown, without `secrets`.
    pub(crate) fn words(&self, secrets: &[&str]) -> String {
        words(&self.content, secrets)
    }

    /// Why this is not the answer that was hoped for.
    pub(crate) fn failure(&self, secrets: &[&str]) -> Failure {
        let status = self.status;
        if let Some(wait) = retry_after(status, &self.headers) {
            return Failure {
                kind: FailureKind::Throttled,
                message: format!("the server asks to wait {} (HTTP {status})", span(wait)),
                retry_after: Some(wait),
            };
        }
        let what = match status {
            200 if self.is_page() => "a web page instead of the command's reply (HTTP 200): a \
                captive portal or login page?"
                .to_owned(),
            200 => "a reply that is not the command's own (HTTP 200)".to_owned(),
            300..=399 => return Failure::new(FailureKind::NotConfirmed, self.redirection(secrets)),
            401 => "a 401 that is not the server's own page: a proxy or firewall in between?"
                .to_owned(),
            403 => "forbidden (HTTP 403): are web services switched on, and is this machine's \
                address on the server's list?"
                .to_owned(),
            404 => "not found (HTTP 404): is the URL right?".to_owned(),
            407 => "a proxy wants credentials (HTTP 407)".to_owned(),
            500..=599 => format!("the server failed (HTTP {status})"),
            _ => format!("an unexpected answer (HTTP {status})"),
        };
        let said = self.words(secrets);
        let message = if said.is_empty() { what } else { format!("{what}; it says: {said}") };
        Failure::new(FailureKind::NotConfirmed, message)
    }

    /// Why the server does not carry a command out, which may be one that it does not know or wants otherwise.
    pub(crate) fn refusal(&self, secrets: &[&str]) -> Failure {
        let status = self.status;
        let what = match status {
            400 => "the server does not understand the command (HTTP 400)",
            404 => "the server knows no such command, or is none (HTTP 404)",
            412 => "the command lacks what it needs (HTTP 412)",
            _ => return self.failure(secrets),
        };
        let said = self.words(secrets);
        let message =
            if said.is_empty() { what.to_owned() } else { format!("{what}; it says: {said}") };
        Failure::new(FailureKind::NotConfirmed, message)
    }

    /// Where it wants to send us; only up to the query, which may hold a session. Secrets go first, for
    /// they may be cut in two there.
    fn redirection(&self, secrets: &[&str]) -> String {
        let place = self.headers.get(LOCATION).map(HeaderValue::as_bytes).unwrap_or_default();
        // A secret may have one of these in it: so it is looked for before anything is cut off.
        let place = words(place, secrets);
        let place = place.split(['?', '#', ';']).next().unwrap_or_default();
        let place = if place.is_empty() { "nowhere" } else { place };
        let status = self.status;
        format!(
            "redirected to {place} (HTTP {status}, not followed): a login page in between, or another URL?"
        )
    }

    fn is_page(&self) -> bool {
        self.content.trim_ascii_start().starts_with(b"<")
    }

    /// Whether it is a whole page. Instructions are of any form, pieces of a page too, but a whole one is somebody
    /// else's, with status 200.
    pub(crate) fn is_whole_page(&self) -> bool {
        let start = self.content.trim_ascii_start();
        let begins_with = |tag: &str| {
            start.get(..tag.len()).is_some_and(|it| it.eq_ignore_ascii_case(tag.as_bytes()))
        };
        begins_with("<!doctype") || begins_with("<html")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use hyper::header::{HeaderName, RETRY_AFTER};
    use std::time::Duration;

    fn answer(status: u16, headers: &[(HeaderName, &'static str)], content: &str) -> Answer {
        let headers = headers.iter().map(|(n, v)| (n.clone(), HeaderValue::from_static(v)));
        let content = SecretBytes::from(content.as_bytes());
        Answer { status, headers: headers.collect(), content }
    }

    #[test]
    fn a_redirection_is_shown_without_what_it_carries() {
        let there = "https://sso.example/login;jsessionid=abc?token=s3cret#x";
        let failure = answer(302, &[(LOCATION, there)], "moved: s3cret").failure(&["s3cret"]);
        assert!(failure.message.starts_with("redirected to https://sso.example/login (HTTP 302"));
        assert!(!failure.message.contains("s3cret"));
        let failure = answer(303, &[], "").failure(&[]);
        assert!(failure.message.contains("to nowhere"), "{failure}");
    }

    #[test]
    fn a_date_is_a_date_or_nothing() {
        for (said, date) in [
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some("Sun, 06 Nov 1994 08:49:37 GMT")),
            ("Sun, 06 Nov 1994 09:49:37 +0100 (s3cret)", Some("Sun, 06 Nov 1994 08:49:37 GMT")),
            ("s3cret", None),
        ] {
            assert_eq!(answer(200, &[(DATE, said)], "").date().as_deref(), date, "{said}");
        }
    }

    #[test]
    fn a_secret_in_a_header_is_not_shown_nor_its_first_part() {
        let long: &'static str =
            String::leak(format!("https://sso/{}s3cret-token", "x".repeat(100)));
        for there in [long, "https://sso/s3c;ret?x", "https://sso/s3c#ret"] {
            let secret = if there == long { "s3cret-token" } else { &there[12..19] };
            let failure = answer(302, &[(LOCATION, there)], "").failure(&[secret]);
            assert!(!failure.message.contains("s3c"), "{failure}");
        }
    }

    #[test]
    fn only_429_and_503_throttle() {
        let asks = |status| answer(status, &[(RETRY_AFTER, "9")], "").failure(&[]);
        for status in [429, 503] {
            assert_eq!(asks(status).kind, FailureKind::Throttled);
            assert_eq!(asks(status).retry_after, Some(Duration::from_secs(9)));
        }
        for status in [200, 401, 500] {
            assert_eq!(asks(status).kind, FailureKind::NotConfirmed);
            assert_eq!(asks(status).retry_after, None);
        }
        assert_eq!(answer(503, &[], "").failure(&[]).kind, FailureKind::NotConfirmed);
    }

    #[test]
    fn what_was_said_is_quoted_without_secrets() {
        let failure = answer(500, &[], "<h1>Bad</h1> Bearer s3cret").failure(&["s3cret"]);
        assert_eq!(failure.message, "the server failed (HTTP 500); it says: Bad Bearer [hidden]");
    }
}
