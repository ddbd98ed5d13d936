//! `findUsers`: the users that the simulator knows; stands for all commands that need a token.
//!
//! By arguments of its own it gives answers that no other command would: `bytes=N` one of that length, which is made
//! while it goes out; with `then=silence` or `then=cut` nothing follows that, not even its end; `repeat=token` one with
//! the token in it, byte by byte.

use bytes::Bytes;
use hyper::StatusCode;
use serde_json::{Value, json};

use super::{FIND_USERS, Refusal};
use crate::body::{Made, ReplyBody, Then};
use crate::call::Call;
use crate::reply::{self, Format, Reply};
use crate::server::Server;

pub(super) fn carry_out(server: &Server, call: &Call, format: Format) -> Result<Reply, Refusal> {
    let Some(token) = call.token().filter(|token| server.ledger.is_alive(token)) else {
        return Err(reply::token_invalid(FIND_USERS).into());
    };
    if let Some(bytes) = call.parameter("bytes").and_then(|bytes| bytes.parse().ok()) {
        let then = match call.parameter("then") {
            Some("silence") => Then::Silence,
            Some("cut") => Then::Cut,
            _ => Then::End,
        };
        return Ok(of(ReplyBody::Made(Made { bytes_left: bytes, then })));
    }
    if call.parameter("repeat") == Some("token") {
        let text = format!("you are {token}, are you not");
        let bytes = text.bytes().map(|byte| Bytes::copy_from_slice(&[byte]));
        return Ok(of(ReplyBody::piecewise(bytes)));
    }
    let wanted = call.parameter("name").unwrap_or_default();
    let mut names: Vec<&str> = server.users.keys().map(String::as_str).collect();
    names.retain(|name| name.contains(wanted));
    names.sort_unstable();
    Ok(match format {
        Format::Json => {
            let users: Vec<Value> = names.iter().map(|name| json!({ "userid": name })).collect();
            reply::json(&json!({ FIND_USERS: users }))
        }
        // Several objects give comma-separated values.
        Format::Properties => reply::text(StatusCode::OK, format!("userid={}\n", names.join(","))),
    })
}

fn of(body: ReplyBody) -> Reply {
    let mut reply = reply::text(StatusCode::OK, "");
    *reply.body_mut() = body;
    reply
}
