//! What goes wrong: a name for programs, a sentence for people, advice, and the exit status.

use std::{io, process::ExitCode};

use securid_ipc::{
    PROTOCOL,
    client::{ClientError, ConnectError},
    messages::{ErrorCode, RpcError},
};
use serde::Serialize;

use crate::{
    manager,
    screen::{complain, printable},
};

/// The exit status of a command that was used wrongly, or that means several things.
pub(crate) const USAGE: u8 = 2;

/// The exit status of a command that failed, without a number of its own.
pub(crate) const FAILED: u8 = 1;

/// The exit status where no daemon can be had.
pub(crate) const UNREACHABLE: u8 = 69;

/// Why a command ends without having done its work.
#[derive(Debug)]
pub(crate) struct Failure {
    code: &'static str,
    message: String,
    hint: Option<String>,
    /// The HTTP status of a server that has refused.
    status: Option<u16>,
    exit: u8,
    /// Nobody reads what we print, so there is nobody to tell.
    unheard: bool,
}

impl Failure {
    pub(crate) fn new(code: &'static str, message: impl Into<String>, exit: u8) -> Self {
        Self { code, message: message.into(), hint: None, status: None, exit, unheard: false }
    }

    /// A command that was used wrongly.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new("usage", message, USAGE)
    }

    /// The system does not let us do what hardly ever fails.
    pub(crate) fn system(doing: &str, error: &io::Error) -> Self {
        Self::new("system", format!("cannot {doing}: {error}"), FAILED)
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same, with what it means before what happened.
    pub(crate) fn about(mut self, what: &str) -> Self {
        self.message = format!("{what}: {}", self.message);
        self
    }

    /// The same, with another exit status.
    pub(crate) fn exiting(mut self, exit: u8) -> Self {
        self.exit = exit;
        self
    }

    /// The exit status.
    pub(crate) fn exit(&self) -> u8 {
        self.exit
    }

    /// What went wrong, for people.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// What to do about it.
    pub(crate) fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// Says it on standard error, and gives the exit status.
    pub(crate) fn report(self, json: bool) -> ExitCode {
        #[derive(Serialize)]
        struct Outer<'a> {
            error: Inner<'a>,
        }
        #[derive(Serialize)]
        struct Inner<'a> {
            code: &'a str,
            message: &'a str,
            hint: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            status: Option<u16>,
        }
        if self.unheard {
            return self.exit.into();
        }
        let (code, message, hint) = (self.code, &*self.message, self.hint.as_deref());
        if json {
            let outer = Outer { error: Inner { code, message, hint, status: self.status } };
            // Texts alone: they can always be written.
            complain(&serde_json::to_string(&outer).unwrap_or_default());
        } else {
            let said = format!("securid-ctl: {message}");
            for line in said.lines().chain(hint.iter().flat_map(|hint| hint.lines())) {
                complain(&printable(line));
            }
        }
        self.exit.into()
    }
}

impl From<ConnectError> for Failure {
    fn from(error: ConnectError) -> Self {
        let failure = Self::new(error.name(), error.to_string(), error.exit_code());
        match error {
            ConnectError::NoDaemon { tried } => {
                let tried: Vec<_> = tried.iter().map(|path| path.display().to_string()).collect();
                failure.with_hint(format!(
                    "Start it with securid-ctl start, or name its socket with --socket (tried {}).",
                    tried.join(", ")
                ))
            }
            ConnectError::Unresponsive { .. } => failure.with_hint(manager::STUCK),
            ConnectError::NotOurs { .. } | ConnectError::Unsafe { .. } => {
                failure.with_hint("Nothing was sent to it. Check --socket and SECURID_SOCKET.")
            }
            ConnectError::TooLong { .. } => failure.with_hint("Name a shorter one with --socket."),
            ConnectError::NotAPipe { .. } => {
                failure.with_hint("Name one with --socket, as \\\\.\\pipe\\NAME.")
            }
            ConnectError::Failed { .. } => failure.with_hint("Check --socket and SECURID_SOCKET."),
        }
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let failure = Self::new(error.name(), error.to_string(), error.exit_code());
        match error {
            ClientError::Rpc(error) => {
                let failure = Self { status: error.data.status, ..failure };
                match advice(&error) {
                    Some(hint) => failure.with_hint(hint),
                    None => failure,
                }
            }
            ClientError::Unresponsive { .. } => failure.with_hint(manager::STUCK),
            ClientError::TooSlow { .. } => {
                failure.with_hint("It goes on by itself: see securid-ctl status.")
            }
            ClientError::Disconnected { .. } => {
                failure.with_hint("Start it again; it goes on where it was. (A login that was under way may have left a token \
                     that nobody holds; the server ends it by its own limits.)")
            }
            ClientError::Outdated { .. } => failure.with_hint(
                "Restart it, and its sessions are kept: securid-ctl restart.",
            ),
            ClientError::WrongProtocol { theirs, .. } if theirs > PROTOCOL => failure.with_hint(
                "Use the securid-ctl that was installed with the daemon, or update this one.",
            ),
            ClientError::WrongProtocol { .. } => failure.with_hint(manager::TOO_OLD),
            ClientError::Garbled { .. } => {
                failure.with_hint("Is it another program's socket? Check --socket and SECURID_SOCKET.")
            }
            ClientError::TooLong(_) => failure,
        }
    }
}

/// What to do about an error of the daemon: its own words first.
pub(crate) fn advice(error: &RpcError) -> Option<String> {
    if let Some(hint) = &error.data.hint {
        return Some(hint.clone());
    }
    let advice = match error.code {
        ErrorCode::Ambiguous if !error.data.candidates.is_empty() => {
            return Some(format!("Say which: {}.", error.data.candidates.join(", ")));
        }
        ErrorCode::NoSuchSession => "securid-ctl list shows what there is.",
        ErrorCode::KeyringLocked => "Unlock the keyring and try again.",
        ErrorCode::KeyringUnavailable => "securid-ctl status shows which keyring is wanted.",
        ErrorCode::StorageFailed => "Is the disk full or read-only? See securid-ctl paths.",
        ErrorCode::ServerUnreachable => "Check the network, and the instance's url and ca_file.",
        ErrorCode::NoSuchInstance => "securid-ctl status shows the instances of the config.",
        _ => return None,
    };
    Some(advice.to_owned())
}

/// Standard output.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        let unheard = error.kind() == io::ErrorKind::BrokenPipe;
        Self { unheard, ..Self::new("output", format!("cannot print: {error}"), FAILED) }
    }
}
