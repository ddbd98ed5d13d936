//! `loginUser`: makes a token of a name and a password, or of what another party says of a person.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Uri};
use percent_encoding::utf8_percent_encode;
use securid_secret::{Secret, SecretBytes};
use serde::Deserialize;
use thiserror::Error;

use crate::answer::Answer;
use crate::command::ESCAPED;
use crate::syntax::{Object, json, properties};
use crate::{Failure, FailureKind, Token};

/// Who logs in.
#[derive(Debug, Clone)]
pub struct LoginRequest {
    /// The name, as the server knows it.
    pub username: String,
    /// The password; never empty.
    pub password: Secret,
    /// Where the server looks the password up, if not in its default source.
    pub auth_source: Option<String>,
}

/// Who logs in on another party's word.
#[derive(Debug, Clone)]
pub struct AssertionRequest {
    /// What that party says, a SAML assertion for example: sent as it is. Whoever has it can log in, so it is
    /// treated as a password is.
    pub assertion: Secret,
    /// Where the server has it checked.
    pub auth_source: String,
}

/// Why there is no token. After [`Unreachable`](Self::Unreachable) for a timeout, and after
/// [`Server`](Self::Server), the server may have made one all the same: nobody here knows it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LoginError {
    /// The password is empty. Nothing was sent: some directories take that for an anonymous login.
    #[error("the password is empty")]
    EmptyPassword,
    /// The assertion is empty. Nothing was sent.
    #[error("the assertion is empty")]
    EmptyAssertion,
    /// The authentication source is far too long for a URL. Nothing was sent.
    #[error("the authentication source is too long")]
    TooLong,
    /// A control character that XML cannot carry. Nothing was sent.
    #[error("the {field} holds a character that cannot be sent")]
    Unsendable {
        /// `user name`, `password` or `authentication source`.
        field: &'static str,
    },
    /// The server answered 401 or 403. That these mean a refused login is *assumed*: the vendor's
    /// pages do not say how one is answered.
    #[error("the login was refused (HTTP {status}): {words}")]
    Refused {
        /// 401 or 403.
        status: u16,
        /// What the server said, shortened and without the password.
        words: String,
    },
    /// The server was not reached, or did not answer in time.
    #[error("{0}")]
    Unreachable(Failure),
    /// Anything else: the connection was lost, the answer is not the command's, or its token
    /// cannot be used.
    #[error("{0}")]
    Server(Failure),
}

impl From<Failure> for LoginError {
    /// Of an exchange that gave no answer.
    fn from(failure: Failure) -> Self {
        match failure.kind {
            FailureKind::Resolve
            | FailureKind::Connect
            | FailureKind::Proxy
            | FailureKind::Tls
            | FailureKind::Timeout => Self::Unreachable(failure),
            FailureKind::Cut | FailureKind::NotConfirmed | FailureKind::Throttled => {
                Self::Server(failure)
            }
        }
    }
}

/// The command's name in the URL.
pub(crate) const COMMAND: &str = "loginUser";

/// The request. Its body is wiped when it is sent or given up; hyper's own buffers are not ours.
pub(crate) fn request(uri: Uri, login: &LoginRequest) -> Result<Request<Full<Bytes>>, LoginError> {
    Ok(post(uri, body(login)?, "application/xml"))
}

/// The same with an assertion: the body is free for it where the URL names the authentication source.
pub(crate) fn request_with_assertion(
    command: &Uri,
    login: &AssertionRequest,
) -> Result<Request<Full<Bytes>>, LoginError> {
    let body = SecretBytes::from(login.assertion.expose().as_bytes());
    if body.trim_ascii().is_empty() {
        return Err(LoginError::EmptyAssertion);
    }
    // The vendor's pages name these two, and that the server does not go by them.
    let content_type = match body.trim_ascii_start() {
        [b'<', ..] => "application/xml",
        _ => "application/json",
    };
    let uri = at_source(command, &login.auth_source).ok_or(LoginError::TooLong)?;
    Ok(post(uri, body, content_type))
}

/// A command's URI with its authentication source; none if that is too long.
pub(crate) fn at_source(command: &Uri, auth_source: &str) -> Option<Uri> {
    let source = utf8_percent_encode(auth_source, ESCAPED);
    format!("{command}&authsource={source}").parse().ok()
}

fn post(uri: Uri, body: SecretBytes, content_type: &'static str) -> Request<Full<Bytes>> {
    let mut request = Request::new(Full::new(Bytes::from_owner(body)));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = uri;
    let headers = request.headers_mut();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    request
}

/// The token in the answer to a login with a password.
pub(crate) fn read(answer: &Answer, login: &LoginRequest) -> Result<Token, LoginError> {
    // A server that cannot read the body may show it as it was sent.
    let as_sent = escaped(login.password.expose());
    let as_sent = as_sent.as_ref().map_or("", Secret::expose);
    read_without(answer, &[as_sent, login.password.expose()])
}

/// The token in the answer to a login by which `sent` was shown to the server.
pub(crate) fn read_without(answer: &Answer, sent: &[&str]) -> Result<Token, LoginError> {
    // Nothing of a 200 is ever quoted: there may be a token somewhere in it. Whatever the status, that would
    // be no error page.
    let token = token_of(&answer.content);
    let mut secrets = sent.to_vec();
    secrets.push(token.as_ref().map_or("", Secret::expose));
    match answer.status {
        200 => {}
        201..=299 => {
            let message = format!("an unexpected answer (HTTP {})", answer.status);
            return Err(LoginError::Server(Failure::new(FailureKind::NotConfirmed, message)));
        }
        status @ (401 | 403) => {
            return Err(LoginError::Refused { status, words: answer.words(&secrets) });
        }
        _ => return Err(LoginError::Server(answer.failure(&secrets))),
    }
    let broken =
        |message: String| LoginError::Server(Failure::new(FailureKind::NotConfirmed, message));
    let token = token.ok_or_else(|| {
        broken("an answer without a token (HTTP 200): a captive portal or another service?".into())
    })?;
    Token::new(&token).map_err(|bad| broken(format!("the server's token cannot be used: {bad}")))
}

/// XML fragments without a root, as the server wants them.
fn body(login: &LoginRequest) -> Result<SecretBytes, LoginError> {
    if login.password.expose().is_empty() {
        return Err(LoginError::EmptyPassword);
    }
    let write = |field, value| escaped(value).ok_or(LoginError::Unsendable { field });
    let username = write("user name", &login.username)?;
    let password = write("password", login.password.expose())?;
    let (username, password) = (username.expose(), password.expose());
    let mut parts = vec!["<username>", username, "</username><password>", password, "</password>"];
    let auth_source =
        login.auth_source.as_deref().map(|s| write("authentication source", s)).transpose()?;
    if let Some(auth_source) = &auth_source {
        parts.extend(["<authsource>", auth_source.expose(), "</authsource>"]);
    }
    let mut body = SecretBytes::with_capacity(parts.iter().map(|part| part.len()).sum());
    parts.iter().for_each(|part| body.extend_from_slice(part.as_bytes()));
    Ok(body)
}

/// `value` as XML character data; `None` if XML 1.0 has no way to write it (section 2.2).
fn escaped(value: &str) -> Option<Secret> {
    let mut text = Secret::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '"' => text.push_str("&quot;"),
            '\'' => text.push_str("&apos;"),
            // A bare one would be read as a line feed (section 2.11).
            '\r' => text.push_str("&#13;"),
            '\t' | '\n' => text.push(c),
            '\0'..' ' | '\u{fffe}' | '\u{ffff}' => return None,
            _ => text.push(c),
        }
    }
    Some(text)
}

/// `data.token` of a JSON reply, or the one `token` of a properties reply. What else the reply
/// says, its type too, does not matter: a token that is not taken could never be revoked.
fn token_of(content: &[u8]) -> Option<Secret> {
    #[derive(Deserialize)]
    struct Reply {
        data: Object<Data>,
    }
    #[derive(Deserialize)]
    struct Data {
        token: Secret,
    }

    if let Some(Object(reply)) = json::<Object<Reply>>(content) {
        return Some(reply.data.0.token);
    }
    match properties(content, "token")?.as_slice() {
        [token] => Some(Secret::from(std::str::from_utf8(token).ok()?.trim())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use hyper::HeaderMap;
    use proptest::prelude::*;

    fn login(username: &str, password: &str, auth_source: Option<&str>) -> LoginRequest {
        LoginRequest {
            username: username.into(),
            password: Secret::from(password),
            auth_source: auth_source.map(Into::into),
        }
    }

    fn answer(status: u16, content: &str) -> Answer {
        let content = SecretBytes::from(content.as_bytes());
        Answer { status, headers: HeaderMap::new(), content }
    }

    #[test]
    fn the_body_is_fragments_with_everything_escaped() {
        let sent = |login: &LoginRequest| String::from_utf8(body(login).unwrap().to_vec()).unwrap();
        assert_eq!(
            sent(&login("me", "pw", None)),
            "<username>me</username><password>pw</password>"
        );
        assert_eq!(
            sent(&login("ü&<b>", "'\"]]>\r\n\t", Some("<AD>"))),
            "<username>ü&amp;&lt;b&gt;</username><password>&apos;&quot;]]&gt;&#13;\n\t</password>\
             <authsource>&lt;AD&gt;</authsource>"
        );
    }

    #[test]
    fn what_cannot_be_sent_is_refused_by_name() {
        let refused = |login| body(&login).unwrap_err();
        assert_eq!(refused(login("me", "", None)), LoginError::EmptyPassword);
        for (login, field) in [
            (login("m\0e", "pw", None), "user name"),
            (login("me", "p\u{1b}w", None), "password"),
            (login("me", "p\u{ffff}w", None), "password"),
            (login("me", "pw", Some("\u{1}")), "authentication source"),
        ] {
            assert_eq!(refused(login), LoginError::Unsendable { field });
        }
    }

    #[test]
    fn tokens_are_found_in_both_forms() {
        for content in [
            r#"{"data": {"type": "loginUser", "token": "abc=="}}"#,
            r#"{"data":{"token":"abc\u003d="},"more":[1]}"#,
            "token=abc==",
            "type=loginUser\r\ntoken=abc== \r\nuser=me\r\n",
        ] {
            let token = read(&answer(200, content), &login("me", "pw", None)).unwrap();
            assert_eq!(token.expose(), "abc==");
        }
    }

    #[test]
    fn no_token_is_an_error_that_quotes_nothing() {
        for content in [
            "",
            "s3cret",
            r#"{"token":"s3cret"}"#,
            r#"{"data":["s3cret"]}"#,
            r#"{"data":{"token":["s3cret"]}}"#,
            r#"{"data":{"token":"s3cret","token":"s3cret2"}}"#,
            r#"{"data":{"token":"s3cret s3cret"}}"#,
            r#"{"data":{"token":""}}"#,
            "token=",
            "token=s3cret\ntoken=s3cret2",
            "token=s3crét",
            "<html>\ntoken=s3cret\n</html>",
        ] {
            let error = read(&answer(200, content), &login("me", "pw", None)).unwrap_err();
            let LoginError::Server(failure) = &error else { panic!("{error:?}") };
            assert_eq!(failure.kind, FailureKind::NotConfirmed);
            assert!(!format!("{error} {error:?}").contains("s3cret"), "{error:?}");
        }
    }

    #[test]
    fn a_refusal_says_what_the_server_said_but_not_the_password() {
        let page = "<title>Error</title><p>no such user: <password>p&amp;w</password> p&w</p>";
        for status in [401, 403] {
            let error = read(&answer(status, page), &login("me", "p&w", None)).unwrap_err();
            let words = "Error no such user: [hidden] [hidden]".to_owned();
            assert_eq!(error, LoginError::Refused { status, words });
        }
    }

    #[test]
    fn other_statuses_are_the_servers_failures() {
        for status in [201, 302, 404, 500, 503] {
            for content in ["token=s3cret-s3cret", r#"{"data":{"token":"s3cret-s3cret"}}"#] {
                let error = read(&answer(status, content), &login("me", "pw", None)).unwrap_err();
                assert!(matches!(error, LoginError::Server(_)), "{status}: {error:?}");
                assert!(!format!("{error:?}").contains("s3cret"), "{status}: {error:?}");
            }
        }
    }

    #[test]
    fn an_assertion_is_the_body_as_it_is() {
        let command: Uri = "/aveksa/command.submit?cmd=loginUser&format=json".parse().unwrap();
        let asked = |assertion: &str, auth_source: &str| {
            let assertion = Secret::from(assertion);
            let login = AssertionRequest { assertion, auth_source: auth_source.into() };
            request_with_assertion(&command, &login)
        };
        for (assertion, content_type) in [
            (" \n<a b=\"&amp;\">\r\n</a>\n", "application/xml"),
            ("PHNhbWw+", "application/json"),
            ("{\"a\":1}", "application/json"),
        ] {
            let request = asked(assertion, "A&D ü=#").unwrap();
            assert_eq!(
                request.uri().to_string(),
                format!("{command}&authsource=A%26D%20%C3%BC%3D%23")
            );
            assert_eq!(request.headers()[CONTENT_TYPE], content_type);
            let body = request.into_body().into_inner().unwrap();
            assert_eq!(body, assertion.as_bytes());
        }
        for nothing in ["", " \r\n"] {
            assert_eq!(asked(nothing, "AD").unwrap_err(), LoginError::EmptyAssertion);
        }
        assert_eq!(asked("<a/>", &"x".repeat(70_000)).unwrap_err(), LoginError::TooLong);
    }

    #[test]
    fn a_refusal_says_nothing_of_an_assertion() {
        let page = "<title>Error</title><p>not signed: &lt;Subject&gt;alice.smith&lt;/Subject&gt;";
        let sent = "<Assertion><Subject>alice.smith</Subject></Assertion>";
        let error = read_without(&answer(401, page), &[sent]).unwrap_err();
        let words = "[not shown: it repeats what it was sent]".to_owned();
        assert_eq!(error, LoginError::Refused { status: 401, words });
        let error = read_without(&answer(401, "<p>It has expired."), &[sent]).unwrap_err();
        assert_eq!(error, LoginError::Refused { status: 401, words: "It has expired.".into() });
    }

    #[test]
    fn debug_shows_no_password() {
        let assertion = Secret::from("s3cret");
        let vouched = AssertionRequest { assertion, auth_source: "AD".into() };
        assert!(!format!("{vouched:?}").contains("s3cret"));
        assert!(!format!("{:?}", login("me", "s3cret", None)).contains("s3cret"));
    }

    proptest! {
        #[test]
        fn nothing_breaks_out_of_its_element(value in "\\PC{1,40}") {
            let body = body(&login("me", &value, None)).unwrap();
            let body = std::str::from_utf8(&body).unwrap();
            let inside = body
                .strip_prefix("<username>me</username><password>")
                .and_then(|rest| rest.strip_suffix("</password>"))
                .unwrap();
            prop_assert!(!inside.contains(['<', '>', '"', '\'', '\r']));
            let back = inside
                .replace("&lt;", "<")
                .replace("&gt;", ">")
                .replace("&quot;", "\"")
                .replace("&apos;", "'")
                .replace("&#13;", "\r")
                .replace("&amp;", "&");
            prop_assert_eq!(back, value);
        }
    }
}
