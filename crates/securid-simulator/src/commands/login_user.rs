//! `loginUser`: a user name and a password, or an assertion, for a new token.

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
    let (username, auth_source) = who(server, call, body)?;
    let known = server.switches().handed_out.clone();
    let token = known.unwrap_or_else(|| server.ledger.issue(&username, auth_source.as_deref()));
    server.ledger.count(|truth| &mut truth.logins_ok);
    Ok(match format {
        Format::Json => reply::json(&json!({ "data": { "type": LOGIN_USER, "token": token } })),
        // That line alone, as older servers have it.
        Format::Properties => reply::text(StatusCode::OK, format!("token={token}\n")),
    })
}

/// Who has logged in, and at which source.
fn who(server: &Server, call: &Call, body: &[u8]) -> Result<(String, Option<String>), Refusal> {
    let in_url = call.parameter("authsource");
    let vouched = in_url.and_then(|source| server.switches().vouched_for(source, body));
    if let Some(vouched) = vouched {
        let username = vouched.ok_or_else(|| refused(server, "The assertion is not valid."))?;
        return Ok((username, in_url.map(str::to_owned)));
    }
    let login = LoginBody::parse(body).map_err(|why| {
        let text = format!("The body is not as expected: {why}.");
        error_page(StatusCode::BAD_REQUEST, &text)
    })?;
    if server.users.get(&login.username) != Some(&login.password) {
        return Err(refused(server, "The user name or the password is not valid."));
    }
    Ok((login.username, login.auth_source.or(in_url.map(str::to_owned))))
}

fn refused(server: &Server, why: &str) -> Refusal {
    server.ledger.count(|truth| &mut truth.logins_refused);
    error_page(StatusCode::UNAUTHORIZED, &format!("The login failed. {why}")).into()
}
