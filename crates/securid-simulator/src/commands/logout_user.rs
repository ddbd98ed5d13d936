//! `logoutUser`: the end of the token in the `Authorization` header.

use hyper::StatusCode;
use hyper::header::ACCEPT;

use super::{LOGOUT_USER, Refusal};
use crate::call::Call;
use crate::reply::{self, Format, Reply, error_page};
use crate::server::Server;
use crate::truth::EndedBy;

pub(super) fn carry_out(server: &Server, call: &Call, format: Format) -> Result<Reply, Refusal> {
    if call.content_type().as_deref() != Some("application/json") {
        let text = "The content type is not application/json.";
        return Err(error_page(StatusCode::UNSUPPORTED_MEDIA_TYPE, text).into());
    }
    if !call.header(ACCEPT).is_some_and(|accept| accept.contains("application/json")) {
        let text = "The request does not accept application/json.";
        return Err(error_page(StatusCode::NOT_ACCEPTABLE, text).into());
    }
    // Only the header counts: a token in the URL is for other commands.
    let ended = call.bearer().is_some_and(|token| server.ledger.end(token, EndedBy::LogoutUser));
    if !ended {
        return Err(reply::token_invalid(LOGOUT_USER).into());
    }
    Ok(reply::of_type(format, LOGOUT_USER))
}
