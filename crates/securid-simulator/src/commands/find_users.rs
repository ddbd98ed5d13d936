//! `findUsers`: the users that the simulator knows; stands for all commands that need a token.

use hyper::StatusCode;
use serde_json::{Value, json};

use super::{FIND_USERS, Refusal};
use crate::call::Call;
use crate::reply::{self, Format, Reply};
use crate::server::Server;

pub(super) fn carry_out(server: &Server, call: &Call, format: Format) -> Result<Reply, Refusal> {
    if !call.token().is_some_and(|token| server.ledger.is_alive(token)) {
        return Err(reply::token_invalid(FIND_USERS).into());
    }
    let mut names: Vec<&str> = server.users.keys().map(String::as_str).collect();
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
