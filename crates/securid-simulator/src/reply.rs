//! The forms that replies have: HTML pages, JSON, properties, plain text.

use bytes::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};
use serde_json::Value;

use crate::body::ReplyBody;

pub(crate) type Reply = Response<ReplyBody>;

/// What `format=` asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// The server's default.
    Properties,
    Json,
}

/// An HTML page, as the server has them for everything that is not a command's result. `text` is
/// ours and needs no escaping.
pub(crate) fn page(status: StatusCode, title: &str, text: &str) -> Reply {
    let html = format!(
        "<!DOCTYPE html>\n<html>\n<head><title>{title}</title></head>\n\
         <body>\n<p>{text}</p>\n</body>\n</html>\n"
    );
    reply(status, "text/html;charset=UTF-8", html)
}

/// The page of what the server refuses, with the title that the documentation gives.
pub(crate) fn error_page(status: StatusCode, text: &str) -> Reply {
    page(status, "Error", text)
}

/// The documented page for a token that is dead, unknown or missing.
pub(crate) fn token_invalid(command: &str) -> Reply {
    let text =
        format!("The token is not valid for the command '{command}'. Token is invalid or expired");
    error_page(StatusCode::UNAUTHORIZED, &text)
}

/// A command's own reply: its name in `data.type`, or as the property `type`.
pub(crate) fn of_type(format: Format, command: &str) -> Reply {
    let (content_type, text) = own_reply(format, command);
    reply(StatusCode::OK, content_type, text)
}

/// Content type and text of [`of_type`].
pub(crate) fn own_reply(format: Format, command: &str) -> (&'static str, String) {
    let text = match format {
        Format::Json => serde_json::json!({ "data": { "type": command } }).to_string(),
        Format::Properties => format!("type={command}\n"),
    };
    (content_type(format), text)
}

pub(crate) fn content_type(format: Format) -> &'static str {
    match format {
        Format::Json => "application/json;charset=UTF-8",
        Format::Properties => "text/plain;charset=UTF-8",
    }
}

pub(crate) fn json(value: &Value) -> Reply {
    reply(StatusCode::OK, content_type(Format::Json), value.to_string())
}

pub(crate) fn text(status: StatusCode, text: impl Into<Bytes>) -> Reply {
    reply(status, content_type(Format::Properties), text)
}

pub(crate) fn reply(
    status: StatusCode,
    content_type: &'static str,
    body: impl Into<Bytes>,
) -> Reply {
    let mut reply = Response::new(ReplyBody::whole(body));
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    reply
}
