//! `getLoginInstructions`: what to show a person before asking for the password. Needs no token.

use hyper::StatusCode;

use crate::reply::{self, Reply};
use crate::server::Server;

const INSTRUCTIONS: &str =
    "Log in with the user name and the password of your directory account.\n";

pub(super) fn carry_out(server: &Server) -> Reply {
    let told = server.switches().instructions.clone();
    reply::text(StatusCode::OK, told.unwrap_or_else(|| INSTRUCTIONS.to_owned()))
}
