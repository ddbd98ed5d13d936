//! HTTP dates (RFC 9110, section 5.6.7), in the one form that servers may still send:
//! `Sun, 06 Nov 1994 08:49:37 GMT`.

use hyper::HeaderMap;
use hyper::header::HeaderName;
use jiff::Timestamp;
use jiff::fmt::rfc2822::{self, DateTimePrinter};

/// The date in a header, if it is one.
pub(crate) fn instant(headers: &HeaderMap, name: HeaderName) -> Option<Timestamp> {
    let text = headers.get(name)?.to_str().ok()?;
    Some(rfc2822::parse(text.trim()).ok()?.timestamp())
}

/// The date as a header has it; none for those before the year 0.
pub(crate) fn rfc9110(at: Timestamp) -> Option<String> {
    DateTimePrinter::new().timestamp_to_rfc9110_string(&at).ok()
}
