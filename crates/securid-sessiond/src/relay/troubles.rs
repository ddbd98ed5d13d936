//! What goes wrong with a call, in the protocol's words.

use std::time::Duration;

use securid_api::{BadCommand, Failure, FailureKind, Refused};
use securid_ipc::duration::format_duration;
use securid_ipc::messages::{ErrorCode, RpcError};

use crate::trouble;

/// What may have come of a command that was sent.
const PERHAPS: &str = "The server may have carried the command out all the same.";

pub(super) fn command(bad: &BadCommand) -> RpcError {
    let hint = match bad {
        BadCommand::Login => "securid-ctl login logs in, and keeps the token.",
        BadCommand::Logout => "securid-ctl logout ends a session.",
        BadCommand::Ours(name) => match *name {
            "format" => "Say --format (in the protocol: format).",
            "cmd" => "The command is named before its arguments.",
            _ => "The daemon sends the token by itself.",
        },
        _ => "Nothing was sent.",
    };
    RpcError::new(ErrorCode::Params, bad.to_string()).with_hint(hint)
}

/// Nothing was sent.
pub(super) fn no_way(failure: &Failure) -> RpcError {
    let error = RpcError::new(ErrorCode::ServerUnreachable, failure.to_string());
    match trouble::mend_the_way(failure.kind) {
        Some(hint) => error.with_hint(hint),
        None => error.with_hint("Nothing was sent."),
    }
}

/// It was sent, or a part of it, and no answer has begun, or none that can be taken for one.
pub(super) fn unanswered(failure: &Failure) -> RpcError {
    let (code, hint) = match failure.kind {
        FailureKind::NotConfirmed | FailureKind::Throttled => (ErrorCode::ServerError, PERHAPS),
        kind => (ErrorCode::ServerUnreachable, trouble::mend_the_way(kind).unwrap_or(PERHAPS)),
    };
    RpcError::new(code, failure.to_string()).with_hint(hint)
}

/// An answer has begun, and there is no more of it.
pub(super) fn broken_off(failure: &Failure) -> RpcError {
    RpcError::new(ErrorCode::ServerError, failure.to_string()).with_hint(PERHAPS)
}

/// The server has said so, with another status than 2xx.
pub(super) fn refused(refused: &Refused, instance: &str) -> RpcError {
    let mut error = RpcError::new(ErrorCode::ServerError, refused.failure.to_string());
    if refused.dead {
        error = error.with_hint(format!(
            "Its end is being confirmed. Log in anew: securid-ctl login {instance}"
        ));
    }
    error.data.status = Some(refused.status);
    error
}

pub(super) fn server_is_silent(limit: Duration) -> RpcError {
    let message = format!("the server was silent for {}", format_duration(limit));
    RpcError::new(ErrorCode::ServerUnreachable, message)
        .with_hint(format!("{PERHAPS} With --timeout it is waited for as long as that says."))
}

pub(super) fn client_is_silent(limit: Duration) -> RpcError {
    let limit = format_duration(limit);
    let message = format!("the call was given up: its client neither sent nor read for {limit}");
    RpcError::new(ErrorCode::LimitExceeded, message).with_hint(PERHAPS)
}

pub(super) fn too_long(limit: Duration) -> RpcError {
    let message = format!("the call was not over after {}", format_duration(limit));
    RpcError::new(ErrorCode::ServerUnreachable, message).with_hint(PERHAPS)
}

pub(super) fn too_many(most: usize) -> RpcError {
    let message = format!("this connection has {most} calls under way already, which is the most");
    RpcError::new(ErrorCode::LimitExceeded, message)
        .with_hint("Nothing was sent. End one first, or call on another connection.")
}

pub(super) fn no_such_call(number: u64) -> RpcError {
    params(&format!("this connection has no call {number} under way"))
        .with_hint("A call ends with its last piece, with an error, and with its connection.")
}

pub(super) fn one_after_the_other(number: u64) -> RpcError {
    params(&format!("call {number} is just being gone on with"))
        .with_hint("Wait for each answer before the next request of a call.")
}

pub(super) fn whole_already() -> RpcError {
    params("the call's body was whole already")
}

pub(super) fn longer() -> RpcError {
    params("the call's body is longer than its length said")
}

pub(super) fn shorter(left: u64) -> RpcError {
    params(&format!("the call's body ends {left} bytes before the length that was said"))
}

fn params(message: &str) -> RpcError {
    RpcError::new(ErrorCode::Params, message)
}
