//! What goes wrong, in the protocol's words: a code, what happened, what to do.

use std::io;

use securid_api::{BadToken, FailureKind, LoginError, SetupError};
use securid_ipc::messages::{ErrorCode, RpcError};
use securid_session::{Denial, MOST_SESSIONS, SessionId};
use securid_store::{DiskError, DiskErrorKind, KeyringError};
use securid_text::mention;

use crate::config::Fault;
use crate::failure::{self, Failure};
use crate::keeper::MOST_HOLDS;
use crate::servers::Unusable;
use crate::words;

pub(crate) fn keyring(error: &KeyringError) -> RpcError {
    let code = match error {
        KeyringError::Locked { .. } => ErrorCode::KeyringLocked,
        KeyringError::Unavailable { .. } | KeyringError::Unresponsive { .. } => {
            ErrorCode::KeyringUnavailable
        }
        KeyringError::Full { .. }
        | KeyringError::NotKept { .. }
        | KeyringError::Damaged { .. }
        | KeyringError::Mismatch { .. } => ErrorCode::StorageFailed,
    };
    RpcError::new(code, error.to_string()).with_hint(error.hint())
}

pub(crate) fn disk(error: &DiskError) -> RpcError {
    let hint = match error.kind {
        DiskErrorKind::Full => "Make room on that file system.",
        DiskErrorKind::ReadOnly => words::READ_ONLY,
        DiskErrorKind::Gone => "Restart the daemon: the folder was removed while it ran.",
        DiskErrorKind::Denied | DiskErrorKind::Unsafe => words::NOT_OURS,
        DiskErrorKind::Copied => {
            "Use the original, or name another --state-dir; to begin here anew, without those secrets, \
             empty this one."
        }
        DiskErrorKind::Stopped | DiskErrorKind::Other => {
            "Look into the system's log for that disk."
        }
    };
    RpcError::new(ErrorCode::StorageFailed, error.to_string()).with_hint(hint)
}

/// The disk did not answer within its deadline.
pub(crate) fn disk_hangs() -> RpcError {
    RpcError::new(ErrorCode::StorageFailed, "the disk does not answer")
        .with_hint("Look into the system's log for that disk.")
}

/// There is no thread for what may hang.
pub(crate) fn no_thread(error: &io::Error) -> RpcError {
    RpcError::new(ErrorCode::StorageFailed, format!("there is no thread to be had: {error}"))
        .with_hint(words::MORE_THREADS)
}

/// The audit has not got the end of a session, whose record therefore stays.
pub(crate) fn unaudited(why: String) -> RpcError {
    RpcError::new(ErrorCode::StorageFailed, why)
        .with_hint("securid-ctl status says what is wrong with the audit.")
}

/// The keyring's entry is for another server than the record says.
pub(crate) fn other_origin(id: &SessionId, entry: &str, record: &str) -> RpcError {
    let message =
        format!("session {id} is recorded for {record}, but its keyring entry is for {entry}");
    RpcError::new(ErrorCode::StorageFailed, message).with_hint(format!(
        "Log it out at both servers, then give it up: securid-ctl forget {id} --yes."
    ))
}

pub(crate) fn unknown_store(name: &str) -> RpcError {
    RpcError::new(
        ErrorCode::KeyringUnavailable,
        format!("this build knows no keyring {}", mention(name)),
    )
    .with_hint("Start the build that the session was made with.")
}

/// A login at this instance, of this user if that is known.
pub(crate) fn login(error: &LoginError, instance: &str, username: Option<&str>) -> RpcError {
    let message = error.to_string();
    match error {
        LoginError::EmptyPassword
        | LoginError::EmptyAssertion
        | LoginError::TooLong
        | LoginError::Unsendable { .. } => {
            RpcError::new(ErrorCode::Params, message).with_hint("Nothing was sent.")
        }
        LoginError::Refused { status, words } => {
            let (of, check) = match username {
                Some(name) => (format!(" of {name}"), "user name and password"),
                None => (String::new(), "what was sent"),
            };
            let said = format!("the login{of} at {instance} was refused (HTTP {status}): {words}");
            let hint = format!(
                "Check {check}, then log in again (securid-ctl login); it is not tried again by itself."
            );
            RpcError::new(ErrorCode::LoginRefused, said).with_hint(hint)
        }
        LoginError::Unreachable(failure) | LoginError::Server(failure) => match failure.kind {
            // The request may have arrived.
            FailureKind::Timeout | FailureKind::Cut => {
                RpcError::new(ErrorCode::ServerUnreachable, message).with_hint(
                    "See where it breaks off (securid-ctl doctor). If the server made a token all the same, nobody \
                     holds it: it ends by the server's own limits.",
                )
            }
            FailureKind::Resolve | FailureKind::Connect | FailureKind::Tls | FailureKind::Proxy => {
                not_reached(failure)
            }
            FailureKind::Throttled => RpcError::new(ErrorCode::ServerError, message)
                .with_hint("Try again when the server wants to be asked."),
            FailureKind::NotConfirmed => no_service(failure),
        },
    }
}

/// The instructions of a login, for which there is no need to know them: only who cannot log in anyway is told.
pub(crate) fn instructions(failure: &securid_api::Failure) -> RpcError {
    match failure.kind {
        FailureKind::NotConfirmed => no_service(failure),
        _ => not_reached(failure),
    }
}

/// It was not the server that answered, or no G&L.
fn no_service(failure: &securid_api::Failure) -> RpcError {
    RpcError::new(ErrorCode::ServerError, failure.to_string())
        .with_hint(
            "See what is there (securid-ctl doctor); check the instance's url, and that web services are on at the \
             server.",
        )
}

/// The server was not reached: nothing was sent to it.
fn not_reached(failure: &securid_api::Failure) -> RpcError {
    let error = RpcError::new(ErrorCode::ServerUnreachable, failure.to_string());
    error.with_hint(mend_the_way(failure.kind).unwrap_or(CHECK_THE_WAY))
}

const CHECK_THE_WAY: &str = "See where it breaks off (securid-ctl doctor); check the network or VPN, host and port in the instance's url, \
     and whether only a proxy leads there.";

/// What to do where a server was not reached.
pub(crate) fn mend_the_way(kind: FailureKind) -> Option<&'static str> {
    Some(match kind {
        FailureKind::Resolve | FailureKind::Connect => CHECK_THE_WAY,
        FailureKind::Tls => {
            "See what the server shows (securid-ctl doctor); check the instance's url, ca_file, client_cert and \
             client_key, and this machine's clock."
        }
        FailureKind::Proxy => {
            "See where it breaks off (securid-ctl doctor); check proxy, no_proxy and proxy_credentials_file in the \
             config, or HTTPS_PROXY and NO_PROXY in the daemon's environment."
        }
        FailureKind::Timeout
        | FailureKind::Cut
        | FailureKind::NotConfirmed
        | FailureKind::Throttled => return None,
    })
}

/// Neither the login nor the config says who logs in. Nothing was sent.
pub(crate) fn no_username(instance: &str) -> RpcError {
    missing("username", format!("whose login at {} is not said", mention(instance)))
        .with_hint("Give --username, or set username in the instance's table.")
}

/// Neither the login nor the config says where an assertion is checked. Nothing was sent.
pub(crate) fn no_auth_source(instance: &str) -> RpcError {
    missing(
        "auth_source",
        format!("which authentication source {} is to ask is not said", mention(instance)),
    )
    .with_hint("Give --auth-source, or set auth_source in the instance's table.")
}

fn missing(parameter: &str, message: String) -> RpcError {
    let mut error = RpcError::new(ErrorCode::Params, message);
    error.data.missing = Some(parameter.to_owned());
    error
}

pub(crate) fn server(error: &Unusable) -> RpcError {
    let hint = match error {
        Unusable::Setup(SetupError::Proxy(_)) => {
            "Mend proxy in the config, or HTTPS_PROXY in the daemon's environment, and restart it."
        }
        _ => "Mend the instance in the config.",
    };
    RpcError::new(ErrorCode::ServerUnreachable, error.to_string()).with_hint(hint)
}

/// The files that say whom to trust could not be read in time.
pub(crate) fn certificates_hang() -> RpcError {
    let message = "the certificates could not be read in time";
    RpcError::new(ErrorCode::ServerUnreachable, message)
        .with_hint("Move ca_file to a disk that answers.")
}

pub(crate) fn token(error: BadToken) -> RpcError {
    RpcError::new(ErrorCode::BadToken, error.to_string())
        .with_hint("Give the token alone, as the server handed it out.")
}

/// Nothing was sent, and nothing taken in.
pub(crate) fn too_many_sessions() -> RpcError {
    let message = format!("{MOST_SESSIONS} sessions are held already, and no more are taken in");
    RpcError::new(ErrorCode::LimitExceeded, message).with_hint(
        "Log some of them out, or give lost ones up with securid-ctl forget ID --yes; securid-ctl list shows them all.",
    )
}

/// Nothing was sent, and nothing taken in.
pub(crate) fn username(problem: &str) -> RpcError {
    RpcError::new(ErrorCode::Params, format!("the user name {problem}"))
        .with_hint("Give the name alone, as the server knows it.")
}

/// One connection holds sessions without end.
pub(crate) fn too_many_holds() -> RpcError {
    let message = format!("this connection holds {MOST_HOLDS} times already, which is the most");
    RpcError::new(ErrorCode::LimitExceeded, message)
        .with_hint("Hold on another connection, or close this one: that releases what it holds.")
}

/// A request names sessions without end.
pub(crate) fn too_many_selectors(given: usize, most: usize) -> RpcError {
    let message = format!("{given} sessions are named, and one request names at most {most}");
    RpcError::new(ErrorCode::LimitExceeded, message)
        .with_hint("Name an instance, which means all of its sessions, or ask several times.")
}

pub(crate) fn stopping() -> RpcError {
    RpcError::new(ErrorCode::ShuttingDown, "the daemon is stopping and takes nothing new")
        .with_hint("Try again once it is started anew.")
}

/// The machine is about to go down.
pub(crate) fn going_down() -> RpcError {
    let message = "the machine is going down, so nothing new is taken in";
    RpcError::new(ErrorCode::ShuttingDown, message).with_hint("Log in once it is up again.")
}

/// The daemon only drains, because its config is bad.
pub(crate) fn draining() -> RpcError {
    let message = "the daemon's config is bad: it only revokes what is recorded";
    let mut error = RpcError::new(ErrorCode::ShuttingDown, message).with_hint(
        "Mend the config (securid-sessiond --check-config says where), then start the daemon anew.",
    );
    error.data.bad_config = true;
    error
}

/// The config was to be read anew.
pub(crate) fn still_the_old_config(faults: &[Fault]) -> RpcError {
    RpcError::new(ErrorCode::BadConfig, failure::list(faults))
        .with_hint("Mend it, and reload again: the daemon goes on with the config that it has.")
}

/// The config was to be read anew, and its disk does not answer.
pub(crate) fn config_hangs() -> RpcError {
    RpcError::new(ErrorCode::StorageFailed, "the config could not be read in time")
        .with_hint("Look after its disk; the daemon goes on with the config that it has.")
}

/// It was started by whoever asks now, and its config is bad.
pub(crate) fn bad_config(faults: &[Fault]) -> RpcError {
    let message = format!("the daemon's config is bad:\n{}", failure::list(faults));
    let mut error = RpcError::new(ErrorCode::ShuttingDown, message)
        .with_hint("Mend it, and try again: the daemon starts by itself.");
    error.data.bad_config = true;
    error
}

/// It was started by whoever asks now, and cannot serve.
pub(crate) fn cannot_start(failure: &Failure) -> RpcError {
    let message = format!("the daemon cannot start: {failure}");
    match failure {
        Failure::Disk(_) => RpcError::new(ErrorCode::StorageFailed, message),
        _ => RpcError::new(ErrorCode::ShuttingDown, message),
    }
}

pub(crate) fn under_revocation(id: &str) -> RpcError {
    RpcError::new(ErrorCode::UnderRevocation, format!("session {id} is being revoked"))
        .with_hint("Log in anew for another session.")
}

/// A login was answered with the token of a session that there is.
pub(crate) fn not_of_its_own(id: &str) -> RpcError {
    let message = format!(
        "the server answered this login with the token of session {id}, which is not this program's to end"
    );
    RpcError::new(ErrorCode::ServerError, message).with_hint(
        "Nothing was revoked. Use that session (securid-ctl exec ID -- CMD), or log it out and try again.",
    )
}

pub(crate) fn no_such_session(selector: &str) -> RpcError {
    RpcError::new(ErrorCode::NoSuchSession, format!("there is no session {}", mention(selector)))
        .with_hint("See securid-ctl list for all of them.")
}

pub(crate) fn no_instance(name: Option<&str>) -> RpcError {
    let message = match name {
        Some(name) => format!("the config has no instance {}", mention(name)),
        None => "no instance was named, and the config has no default one".to_owned(),
    };
    RpcError::new(ErrorCode::NoSuchInstance, message).with_hint(
        "Name one that stands in the config as [instances.NAME]; securid-ctl paths shows where, and \
         securid-ctl reload has the daemon read it anew.",
    )
}

/// Why a session cannot be used; `why` is what its keyring last said.
pub(crate) fn denial(denial: Denial, id: &str, why: Option<&RpcError>) -> RpcError {
    match denial {
        Denial::Unknown => no_such_session(id),
        Denial::UnderRevocation => under_revocation(id),
        Denial::Lost => RpcError::new(
            ErrorCode::NoSuchSession,
            format!("the token of session {id} is gone from its keyring"),
        )
        .with_hint(format!("Log in anew; give the old one up with securid-ctl forget {id} --yes.")),
        Denial::Unreachable => why.cloned().unwrap_or_else(|| {
            RpcError::new(ErrorCode::KeyringUnavailable, "the keyring was not read yet")
                .with_hint("Try again in a moment.")
        }),
    }
}

/// It could not be stored, and nobody said why.
pub(crate) fn not_stored() -> RpcError {
    RpcError::new(ErrorCode::StorageFailed, "the token could not be stored")
        .with_hint("Look into the daemon's log for more.")
}

// Word by word, and some of the words are of Linux.
#[cfg(all(test, target_os = "linux"))]
mod tests;
