//! What each fault does instead of the command.

use std::time::{Duration, SystemTime};

use hyper::StatusCode;
use hyper::header::{
    CONTENT_LENGTH, HeaderName, HeaderValue, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE,
};

use crate::body::ReplyBody;
use crate::call::Call;
use crate::commands;
use crate::echo::Echo;
use crate::fault::Fault;
use crate::login_body::LoginBody;
use crate::reply::{self, Format, Reply};
use crate::server::Server;

/// A reply that looks whole lacks this many bytes of what its `Content-Length` promised.
const MISSING_BYTES: usize = 64;

pub(crate) enum Misbehaviour {
    Reply(Reply),
    /// No reply ever.
    Silence,
    /// No reply, and the connection is reset.
    Reset,
}

/// What `fault` does to this call. The command is not carried out.
pub(crate) fn misbehave(server: &Server, call: &Call, body: &[u8], fault: Fault) -> Misbehaviour {
    let format = call.format().unwrap_or(Format::Properties);
    let command = call.command().unwrap_or(commands::LOGOUT_USER);
    Misbehaviour::Reply(match fault {
        Fault::Hang => return Misbehaviour::Silence,
        // A request that came by a connection older than `down`.
        Fault::Reset | Fault::Down => return Misbehaviour::Reset,
        Fault::Status(status) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
            reply::error_page(status, "This is the answer that the simulator was told to give.")
        }
        Fault::Echo(status, echo) => {
            let login = LoginBody::parse(body).ok();
            let password = login.as_ref().map(|login| login.password.as_str());
            let sent = echo.of(password.or_else(|| call.bearer()).unwrap_or_default());
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::UNAUTHORIZED);
            let page = reply::error_page(status, &format!("{sent} is not good."));
            match echo {
                Echo::Location => {
                    with_header(page, LOCATION, header_value(&format!("/again/{sent}")))
                }
                _ => page,
            }
        }
        Fault::ProxyAuth401 => with_header(
            reply::page(
                StatusCode::UNAUTHORIZED,
                "Authentication required",
                "The proxy needs to know who you are before it lets you through.",
            ),
            WWW_AUTHENTICATE,
            HeaderValue::from_static("Basic realm=\"corporate proxy\""),
        ),
        Fault::CaptivePortal => reply::page(
            StatusCode::OK,
            "Welcome to the hotel",
            "Please enter your room number and your name to use the network.",
        ),
        Fault::Redirect => with_header(
            reply::page(StatusCode::FOUND, "Moved", "This page has moved."),
            LOCATION,
            header_value(&server.redirect_target),
        ),
        Fault::WrongType => {
            let other = if command == commands::LOGOUT_USER {
                commands::LOGIN_USER
            } else {
                commands::LOGOUT_USER
            };
            reply::of_type(Format::Json, other)
        }
        Fault::Truncated => truncated(format, command),
        Fault::Endless => endless(ReplyBody::endless(), format),
        Fault::SlowDrip => endless(ReplyBody::slow_drip(), format),
        Fault::Throttle { retry_after_secs, as_date } => {
            let retry_after = if as_date {
                let moment = SystemTime::now() + Duration::from_secs(retry_after_secs);
                header_value(&httpdate::fmt_http_date(moment))
            } else {
                retry_after_secs.into()
            };
            let page = reply::error_page(StatusCode::TOO_MANY_REQUESTS, "Too many requests.");
            with_header(page, RETRY_AFTER, retry_after)
        }
        // Both carry the command out, so that `answer` never comes here with them.
        Fault::Delay(_) | Fault::ReplyLost | Fault::ClockAhead(_) => return Misbehaviour::Silence,
    })
}

/// Looks like the whole confirmation, but is not all that was promised.
fn truncated(format: Format, command: &str) -> Reply {
    let (content_type, looks_whole) = reply::own_reply(format, command);
    let promised = looks_whole.len() + MISSING_BYTES;
    let mut reply = reply::reply(StatusCode::OK, content_type, "");
    *reply.body_mut() = ReplyBody::cut_short(looks_whole);
    with_header(reply, CONTENT_LENGTH, promised.into())
}

fn endless(body: ReplyBody, format: Format) -> Reply {
    let mut reply = reply::reply(StatusCode::OK, reply::content_type(format), "");
    *reply.body_mut() = body;
    reply
}

fn with_header(mut reply: Reply, name: HeaderName, value: HeaderValue) -> Reply {
    reply.headers_mut().insert(name, value);
    reply
}

/// For what is visible ASCII by its making.
fn header_value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""))
}
