//! `logoutUser`: ends the token that it is sent with.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Uri};

use crate::answer::Answer;
use crate::turn::Turn;
use crate::{Confirmed, Failure, Format, Token, judge};

/// How a logout went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogoutReply {
    /// The server itself has said that the token is dead.
    Confirmed(Confirmation),
    /// It has not: the token must be taken for alive, and the logout be tried again.
    Unconfirmed(Failure),
}

/// What the server has said, and the proof of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmation {
    /// Which of the two confirming replies it was.
    pub how: Confirmed,
    /// HTTP status, the words that confirm, and the server's `Date` if it sent one:
    /// `200 type=logoutUser; Date: Sun, 06 Nov 1994 08:49:37 GMT`.
    pub evidence: String,
}

/// The command's name in the URL.
pub(crate) const COMMAND: &str = "logoutUser";

/// The request: no body, and headers just as the vendor's pages have them.
pub(crate) fn request(uri: Uri, token: &Token) -> Request<Full<Bytes>> {
    let json = HeaderValue::from_static("application/json");
    let mut request = Request::new(Full::default());
    *request.method_mut() = Method::POST;
    *request.uri_mut() = uri;
    let headers = request.headers_mut();
    headers.insert(AUTHORIZATION, token.header());
    headers.insert(ACCEPT, json.clone());
    headers.insert(CONTENT_TYPE, json);
    // Without it hyper sends no length for an empty body, and firewalls answer 411.
    headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    request
}

/// What an answer is good for that came on a connection which had carried others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GoodFor {
    /// It counts: it belongs to the request before it, or confirms nothing and does no harm.
    Counting,
    /// It confirms, and looks the same in every turn, as the page of a 401 does: the server is asked again.
    Asking,
    /// It confirms in the form that another turn has asked for; or it refuses, and may have nothing against the
    /// request but the form that this turn has asked for. The server is asked again, and each time on a new
    /// connection from now on.
    Nothing,
}

/// Looks at the form of an answer to a request of that turn, on a connection whose first request asked for
/// `first`. Whatever comes first on a connection is taken in either form, for not every server minds it.
pub(crate) fn good_for(answer: &Answer, turn: Turn, first: Format) -> GoodFor {
    if turn == Turn::FIRST {
        return GoodFor::Counting;
    }
    let asked = turn.format(first);
    let came = match answer.content.trim_ascii_start() {
        [b'{', ..] => Format::Json,
        _ => Format::Properties,
    };
    match judge(answer.status, &answer.content) {
        Some(Confirmed::AlreadyInvalid) => GoodFor::Asking,
        Some(Confirmed::Revoked) if came != asked => GoodFor::Nothing,
        None if asked != first && may_be_for_the_form(answer.status) => GoodFor::Nothing,
        Some(Confirmed::Revoked) | None => GoodFor::Counting,
    }
}

/// Whether what stands before a server may say so of a form of reply that it does not let through, or does not
/// know. It has other words for who is not let in at all (401, 407), who is too slow or too fast (408, 429), and
/// what fails.
fn may_be_for_the_form(status: u16) -> bool {
    matches!(status, 200 | 400 | 402..=406 | 409..=428)
}

/// What the answer means for `token`.
pub(crate) fn read(answer: &Answer, token: &Token) -> LogoutReply {
    let Some(how) = judge(answer.status, &answer.content) else {
        return LogoutReply::Unconfirmed(answer.failure(&[token.expose()]));
    };
    let mut evidence = format!("{} {}", answer.status, how.words());
    if let Some(date) = answer.date() {
        evidence.push_str("; Date: ");
        evidence.push_str(&date);
    }
    LogoutReply::Confirmed(Confirmation { how, evidence })
}
