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

/// Which request of its connection an answer belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Belongs {
    /// To the one before it; or it confirms nothing, and does no harm.
    This,
    /// It confirms, and looks the same in every turn: the page of a 401.
    Any,
    /// It confirms, but in the form that another turn has asked for.
    Another,
}

/// Looks at the form of an answer to a request of that turn, on a connection whose first request asked for
/// `first`. Whatever comes first on a connection is taken in either form, for not every server minds it.
pub(crate) fn belongs(answer: &Answer, turn: Turn, first: Format) -> Belongs {
    let came = match answer.content.trim_ascii_start() {
        [b'{', ..] => Format::Json,
        _ => Format::Properties,
    };
    match judge(answer.status, &answer.content) {
        Some(Confirmed::AlreadyInvalid) if turn != Turn::FIRST => Belongs::Any,
        Some(Confirmed::Revoked) if turn != Turn::FIRST && came != turn.format(first) => {
            Belongs::Another
        }
        _ => Belongs::This,
    }
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
