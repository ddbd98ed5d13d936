//! `getLoginInstructions`: what to show a person before asking for the password. Needs no token.

use hyper::StatusCode;

use crate::reply::{self, Reply};

const INSTRUCTIONS: &str =
    "Log in with the user name and the password of your directory account.\n";

pub(super) fn carry_out() -> Reply {
    reply::text(StatusCode::OK, INSTRUCTIONS)
}
