//! The control interface, for use by hand: no fault touches it, and each reply ends its connection.

use hyper::header::{ALLOW, CONNECTION, HeaderValue};
use hyper::{Method, StatusCode};

use crate::call::Call;
use crate::duration::parse_duration;
use crate::fault::Fault;
use crate::reply::{self, Reply};
use crate::server::Server;
use crate::truth::EndedBy;

/// The paths that belong to the control interface.
pub(crate) const PATHS: [&str; 5] = ["/truth", "/fault", "/latency", "/expire", "/issue"];

pub(crate) fn answer(server: &Server, call: &Call, body: &[u8]) -> Reply {
    let text = String::from_utf8_lossy(body);
    let mut reply = carry_out(server, call, text.trim());
    // So that a fault `down`, set just now, need not cut the connection that it was set by.
    reply.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    reply
}

fn carry_out(server: &Server, call: &Call, text: &str) -> Reply {
    let method = &call.head.method;
    match call.head.uri.path() {
        "/truth" if method == Method::GET => match serde_json::to_value(server.ledger.truth()) {
            Ok(truth) => reply::json(&truth),
            Err(error) => reply::text(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
        },
        "/fault" if method == Method::PUT => match Fault::parse_setting(text) {
            Ok(fault) => {
                server.set_fault(call.command(), fault);
                done()
            }
            Err(error) => reply::text(StatusCode::BAD_REQUEST, error.to_string()),
        },
        "/latency" if method == Method::PUT => match parse_duration(text) {
            Ok(latency) => {
                server.switches().latency = latency;
                done()
            }
            Err(error) => reply::text(StatusCode::BAD_REQUEST, error.to_string()),
        },
        "/expire" if method == Method::POST => {
            if server.ledger.end(text, EndedBy::Expired) {
                done()
            } else {
                reply::text(StatusCode::NOT_FOUND, "no such live token")
            }
        }
        "/issue" if method == Method::POST => {
            if text.is_empty() {
                reply::text(StatusCode::BAD_REQUEST, "the body is to be a user name")
            } else {
                reply::text(StatusCode::OK, server.ledger.issue(text, None))
            }
        }
        path => {
            let allowed = match path {
                "/truth" => "GET",
                "/fault" | "/latency" => "PUT",
                _ => "POST",
            };
            let mut refused = reply::text(StatusCode::METHOD_NOT_ALLOWED, allowed);
            refused.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
            refused
        }
    }
}

fn done() -> Reply {
    reply::text(StatusCode::OK, "ok")
}
