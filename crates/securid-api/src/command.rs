//! Any other command: its name and arguments as somebody gives them, and the request that is made of them.

use std::collections::BTreeMap;

use hyper::header::{
    ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderMap, HeaderValue,
};
use hyper::{Method, Request, Uri};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use thiserror::Error;

use crate::outgoing::Outgoing;
use crate::{Format, Token, login, logout};

/// The longest name of a command, an argument or a format, in bytes: those of the vendor's pages have some thirty.
const LONGEST_NAME: usize = 64;

/// The longest content type, in bytes: with all that may stand behind the semicolon.
const LONGEST_CONTENT_TYPE: usize = 128;

/// What the vendor's pages send with every command.
const USUAL_CONTENT_TYPE: &str = "application/json";

/// Parameters of the URL that are ours to set. The last one is where older clients have the token.
const OURS: [&str; 3] = ["cmd", "format", "token"];

/// What stays as it is in a URL's query (RFC 3986, section 2.3).
pub(crate) const ESCAPED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A command that may be sent with a session's token: not one that makes or ends tokens, of which nobody would
/// know then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    name: String,
    /// `&name=value…`, escaped.
    arguments: String,
    format: Option<String>,
    content_type: HeaderValue,
}

/// Why something is no [`Command`]. A value is repeated by none of them.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BadCommand {
    /// No name that a command could have.
    #[error(
        "this is no command's name: it has letters, digits, '_', '-' and '.', at most {LONGEST_NAME}"
    )]
    Name,
    /// `loginUser`: nobody would revoke its token.
    #[error("loginUser is no command to be called: nobody would revoke the token that it makes")]
    Login,
    /// `logoutUser`.
    #[error("logoutUser is no command to be called: the daemon does that, until it is confirmed")]
    Logout,
    /// A parameter of the URL that the command itself does not have.
    #[error("the argument {} is not a command's own", securid_text::mention(.0))]
    Ours(&'static str),
    /// A name of an argument that is empty or too long, or has a control character in it.
    #[error(
        "an argument's name is empty, longer than {LONGEST_NAME} bytes, or has control characters"
    )]
    Argument,
    /// No name of a format.
    #[error("this is no format: it has letters and digits, at most {LONGEST_NAME}, as in json")]
    Format,
    /// What cannot stand in that header.
    #[error(
        "this is no content type: it has visible ASCII and spaces, at most {LONGEST_CONTENT_TYPE}"
    )]
    ContentType,
    /// More than any URL may have.
    #[error("the arguments are too long for a URL; does the command take them in its body?")]
    TooLong,
}

impl Command {
    /// A command of this name. Without `format` the reply comes in the client's own, without `content_type` the
    /// body is called `application/json`.
    ///
    /// # Errors
    /// [`BadCommand`].
    pub fn new(
        name: &str,
        arguments: &BTreeMap<String, String>,
        format: Option<String>,
        content_type: Option<&str>,
    ) -> Result<Self, BadCommand> {
        let is_name = |text: &str, others: &[u8]| {
            let may = |b: u8| b.is_ascii_alphanumeric() || others.contains(&b);
            !text.is_empty() && text.len() <= LONGEST_NAME && text.bytes().all(may)
        };
        // Nobody knows whether a server minds the case.
        match name {
            _ if !is_name(name, b"_-.") => return Err(BadCommand::Name),
            _ if name.eq_ignore_ascii_case(login::COMMAND) => return Err(BadCommand::Login),
            _ if name.eq_ignore_ascii_case(logout::COMMAND) => return Err(BadCommand::Logout),
            _ => {}
        }
        if !format.as_deref().is_none_or(|format| is_name(format, b"")) {
            return Err(BadCommand::Format);
        }
        let content_type = content_type.unwrap_or(USUAL_CONTENT_TYPE);
        let is_visible = |b: u8| b == b' ' || b.is_ascii_graphic();
        if content_type.len() > LONGEST_CONTENT_TYPE || !content_type.bytes().all(is_visible) {
            return Err(BadCommand::ContentType);
        }
        let content_type =
            HeaderValue::from_str(content_type).map_err(|_| BadCommand::ContentType)?;
        let mut query = String::new();
        for (name, value) in arguments {
            if let Some(ours) = OURS.into_iter().find(|ours| name.eq_ignore_ascii_case(ours)) {
                return Err(BadCommand::Ours(ours));
            }
            if name.is_empty() || name.len() > LONGEST_NAME || name.chars().any(char::is_control) {
                return Err(BadCommand::Argument);
            }
            query.push('&');
            query.extend(utf8_percent_encode(name, ESCAPED));
            query.push('=');
            query.extend(utf8_percent_encode(value, ESCAPED));
        }
        Ok(Self { name: name.to_owned(), arguments: query, format, content_type })
    }

    /// The request to the endpoint with this path and `Host`, and what goes out with it.
    ///
    /// # Errors
    /// [`BadCommand::TooLong`].
    pub(crate) fn request(
        &self,
        (path, host): (&str, &HeaderValue),
        usual: Format,
        token: &Token,
        body: Outgoing,
    ) -> Result<Request<Outgoing>, BadCommand> {
        let format = self.format.as_deref().unwrap_or(usual.name());
        let uri = format!("{path}?cmd={}&format={format}{}", self.name, self.arguments);
        let uri: Uri = uri.parse().map_err(|_| BadCommand::TooLong)?;
        let accept = if format == Format::Json.name() { USUAL_CONTENT_TYPE } else { "*/*" };
        let mut headers = HeaderMap::new();
        headers.insert(HOST, host.clone());
        headers.insert(AUTHORIZATION, token.header());
        headers.insert(ACCEPT, HeaderValue::from_static(accept));
        headers.insert(CONTENT_TYPE, self.content_type.clone());
        if let Some(length) = body.length() {
            // Without it hyper sends no length for an empty body, and firewalls answer 411.
            headers.insert(CONTENT_LENGTH, length.into());
        }
        let mut request = Request::new(body);
        *request.method_mut() = Method::POST;
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;
    use securid_secret::Secret;

    fn arguments(of: &[(&str, &str)]) -> BTreeMap<String, String> {
        of.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn uri(command: &Command) -> Uri {
        let token = Token::new(&Secret::from("t0ken")).unwrap();
        let place = ("/aveksa/command.submit", &HeaderValue::from_static("h"));
        let (body, _) = Outgoing::new(Some(0));
        command.request(place, Format::Properties, &token, body).unwrap().uri().clone()
    }

    #[test]
    fn what_is_given_becomes_parameters_and_nothing_else() {
        let given = arguments(&[("name", "a&cmd=logoutUser"), ("größe", "1 + 1 = 2#?/\r\n%41")]);
        let command = Command::new("findUsers", &given, None, None).unwrap();
        assert_eq!(
            uri(&command).to_string(),
            "/aveksa/command.submit?cmd=findUsers&format=properties&gr%C3%B6%C3%9Fe=1%20%2B%201%20%3D%202%23%3F%2F\
             %0D%0A%2541&name=a%26cmd%3DlogoutUser"
        );
        let command = Command::new("findUsers", &arguments(&[]), Some("csv".into()), None).unwrap();
        assert_eq!(uri(&command).query(), Some("cmd=findUsers&format=csv"));
    }

    #[test]
    fn each_refusal_is_its_own() {
        let none = arguments(&[]);
        let refused = |name: &str, format: Option<&str>, content_type: Option<&str>| {
            let format = format.map(str::to_owned);
            Command::new(name, &none, format, content_type).unwrap_err()
        };
        for name in ["", "find users", "a&b", "größe", &"x".repeat(65)] {
            assert_eq!(refused(name, None, None), BadCommand::Name, "{name:?}");
        }
        assert_eq!(refused("LoginUser", None, None), BadCommand::Login);
        assert_eq!(refused("logoutuser", None, None), BadCommand::Logout);
        assert_eq!(refused("x", Some("a=b"), None), BadCommand::Format);
        for content_type in ["text/xml\r\nX: y", "ü", &"x".repeat(129)] {
            assert_eq!(refused("x", None, Some(content_type)), BadCommand::ContentType);
        }
        let refused = |name: &str| Command::new("x", &arguments(&[(name, "1")]), None, None);
        assert_eq!(refused("Token"), Err(BadCommand::Ours("token")));
        assert_eq!(refused("cmd"), Err(BadCommand::Ours("cmd")));
        for name in ["", "a\nb", &"x".repeat(65)] {
            assert_eq!(refused(name), Err(BadCommand::Argument), "{name:?}");
        }
    }

    #[test]
    fn more_than_a_url_may_have_is_said_to_be_too_much() {
        let long = arguments(&[("name", &"ü".repeat(16_000))]);
        let command = Command::new("findUsers", &long, None, None).unwrap();
        let token = Token::new(&Secret::from("t0ken")).unwrap();
        let place = ("/aveksa/command.submit", &HeaderValue::from_static("h"));
        let made = command.request(place, Format::Json, &token, Outgoing::new(None).0);
        assert_eq!(made.err(), Some(BadCommand::TooLong));
    }

    proptest! {
        #[test]
        fn no_argument_breaks_out_of_its_place(name in "[a-z ü&=]{1,9}", value in any::<String>()) {
            prop_assume!(!OURS.contains(&name.as_str()));
            let command = Command::new("x", &arguments(&[(&name, &value)]), None, None).unwrap();
            let uri = uri(&command);
            let query = uri.query().unwrap();
            prop_assert_eq!(query.matches('&').count(), 2, "{}", query);
            prop_assert!(query.bytes().all(|b| b.is_ascii_graphic() && b != b'#'));
        }
    }
}
