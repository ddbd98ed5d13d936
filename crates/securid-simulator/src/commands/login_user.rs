//! `loginUser`: a user name and a password for a new token.

use hyper::StatusCode;
use serde_json::json;

use super::{LOGIN_USER, Refusal};
use crate::call::Call;
use crate::login_body::LoginBody;
use crate::reply::{self, Format, Reply, error_page};
use crate::server::Server;

/// The documented two, and what older clients send.
const CONTENT_TYPES: [&str; 3] = ["application/json", "application/xml", "text/xml"];

pub(super) fn carry_out(
    server: &Server,
    call: &Call,
    format: Format,
    body: &[u8],
) -> Result<Reply, Refusal> {
    if !call.content_type().is_some_and(|given| CONTENT_TYPES.contains(&given.as_str())) {
        let text = "The content type is neither JSON nor XML.";
        return Err(error_page(StatusCode::UNSUPPORTED_MEDIA_TYPE, text).into());
    }
    let login = LoginBody::parse(body).map_err(|why| {
        let text = format!("The body is not as expected: {why}.");
        error_page(StatusCode::BAD_REQUEST, &text)
    })?;
    if server.users.get(&login.username) != Some(&login.password) {
        server.ledger.count(|truth| &mut truth.logins_refused);
        let text = "The login failed. The user name or the password is not valid.";
        return Err(error_page(StatusCode::UNAUTHORIZED, text).into());
    }

    let auth_source = login.auth_source.as_deref().or_else(|| call.parameter("authsource"));
    let known = server.switches().handed_out.clone();
    let token = known.unwrap_or_else(|| server.ledger.issue(&login.username, auth_source));
    server.ledger.count(|truth| &mut truth.logins_ok);
    Ok(match format {
        Format::Json => reply::json(&json!({ "data": { "type": LOGIN_USER, "token": token } })),
        // That line alone, as older servers have it.
        Format::Properties => reply::text(StatusCode::OK, format!("token={token}\n")),
    })
}
