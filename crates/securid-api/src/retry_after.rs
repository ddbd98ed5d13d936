//! `Retry-After`: how long a server asks to be left alone (RFC 9110, section 10.2.3).

use std::time::Duration;

use hyper::HeaderMap;
use hyper::header::{DATE, RETRY_AFTER};
use jiff::Timestamp;

use crate::date::instant;

/// The longest wait that is honoured. Beyond an hour a server is more likely to be misconfigured
/// than to know, and a live token is waiting.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(60 * 60);

/// The wait that an answer asks for; `None` if it asks for none, or for none that can be read. Only
/// 429 and 503 ask for a wait before the same request is sent again.
pub(crate) fn retry_after(status: u16, headers: &HeaderMap) -> Option<Duration> {
    if !matches!(status, 429 | 503) {
        return None;
    }
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        // Digits that no number holds are a long wait all the same.
        let wait = text.parse().map_or(RETRY_AFTER_MAX, Duration::from_secs);
        return Some(wait.min(RETRY_AFTER_MAX));
    }
    let until = instant(headers, RETRY_AFTER)?;
    // The server's own clock, where it tells: its dates are then right however wrong ours is.
    let now = instant(headers, DATE).unwrap_or_else(Timestamp::now);
    let wait = Duration::try_from(until.duration_since(now)).unwrap_or(Duration::ZERO);
    Some(wait.min(RETRY_AFTER_MAX))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use hyper::header::HeaderValue;

    const DATE_SENT: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

    fn wait(text: &str, date: Option<&str>) -> Option<u64> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_bytes(text.as_bytes()).unwrap());
        if let Some(date) = date {
            headers.insert(DATE, HeaderValue::from_str(date).unwrap());
        }
        retry_after(503, &headers).map(|wait| wait.as_secs())
    }

    #[test]
    fn seconds() {
        for (text, expected) in [
            ("0", Some(0)),
            ("7", Some(7)),
            (" 120 ", Some(120)),
            ("3601", Some(3600)),
            ("99999999999999999999999999", Some(3600)),
            ("-1", None),
            ("1.5", None),
            ("", None),
            ("soon", None),
            ("später", None),
        ] {
            assert_eq!(wait(text, None), expected, "{text:?}");
        }
        assert_eq!(retry_after(503, &HeaderMap::new()), None);
    }

    #[test]
    fn dates_count_from_the_servers_own() {
        for (text, expected) in [
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some(60)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(0)),
            ("Sun, 06 Nov 1994 07:00:00 GMT", Some(0)),
            ("Sun, 06 Nov 2094 08:49:37 GMT", None), // a Saturday
            ("Sat, 06 Nov 2094 08:49:37 GMT", Some(3600)),
        ] {
            assert_eq!(wait(text, Some(DATE_SENT)), expected, "{text:?}");
        }
    }

    #[test]
    fn without_one_from_ours() {
        assert_eq!(wait(DATE_SENT, None), Some(0));
        assert_eq!(wait("Sat, 06 Nov 2094 08:49:37 GMT", Some("no date")), Some(3600));
    }
}
