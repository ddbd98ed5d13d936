//! The commands as the documentation has them, and what is the same for all: one path, POST only,
//! a name in `cmd`.

mod find_users;
mod get_login_instructions;
mod login_user;
mod logout_user;

use hyper::ext::ReasonPhrase;
use hyper::header::{ALLOW, HeaderValue};
use hyper::{Method, StatusCode};

use crate::call::Call;
use crate::reply::{Reply, error_page};
use crate::server::Server;

pub(crate) const LOGIN_USER: &str = "loginUser";
pub(crate) const LOGOUT_USER: &str = "logoutUser";
const GET_LOGIN_INSTRUCTIONS: &str = "getLoginInstructions";
pub(crate) const FIND_USERS: &str = "findUsers";

/// The one endpoint.
const PATH: &str = "/aveksa/command.submit";

/// Carries a command out, or refuses it, and counts the refusals.
pub(crate) fn carry_out(server: &Server, call: &Call, body: &[u8]) -> Reply {
    let reply = dispatch(server, call, body).unwrap_or_else(|refusal| *refusal.0);
    let refused_login =
        call.command() == Some(LOGIN_USER) && reply.status() == StatusCode::UNAUTHORIZED;
    if reply.status().is_client_error() && !refused_login {
        server.ledger.count(|truth| &mut truth.requests_refused);
    }
    reply
}

/// A reply that ends the handling of a request. Boxed: it is large, and rare.
struct Refusal(Box<Reply>);

impl From<Reply> for Refusal {
    fn from(reply: Reply) -> Self {
        Self(Box::new(reply))
    }
}

fn dispatch(server: &Server, call: &Call, body: &[u8]) -> Result<Reply, Refusal> {
    if call.head.uri.path() != PATH {
        return Err(error_page(StatusCode::NOT_FOUND, "There is no such page.").into());
    }
    if call.head.method != Method::POST {
        let mut refused = error_page(StatusCode::METHOD_NOT_ALLOWED, "Only POST is allowed.");
        refused.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
        return Err(refused.into());
    }
    if !call.has_length() {
        let text = "The request says no Content-Length.";
        return Err(error_page(StatusCode::LENGTH_REQUIRED, text).into());
    }
    let Some(command) = call.command() else {
        let text = "The parameter 'cmd' is missing.";
        return Err(error_page(StatusCode::BAD_REQUEST, text).into());
    };
    let Some(format) = call.format() else {
        let text = "The format is neither 'properties' nor 'json'.";
        return Err(error_page(StatusCode::BAD_REQUEST, text).into());
    };
    match command {
        LOGIN_USER => login_user::carry_out(server, call, format, body),
        LOGOUT_USER => logout_user::carry_out(server, call, format),
        GET_LOGIN_INSTRUCTIONS => Ok(get_login_instructions::carry_out(server)),
        FIND_USERS => find_users::carry_out(server, call, format),
        unknown => Err(unknown_command(unknown).into()),
    }
}

/// 404 with the command's name as the reason phrase, where it can stand in one.
fn unknown_command(command: &str) -> Reply {
    let mut reply = error_page(StatusCode::NOT_FOUND, "There is no such command.");
    if let Ok(reason) = ReasonPhrase::try_from(command.as_bytes()) {
        reply.extensions_mut().insert(reason);
    }
    reply
}
