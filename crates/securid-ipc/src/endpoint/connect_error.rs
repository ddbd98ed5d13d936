//! Why there is no connection, with the exit statuses of the contract.

use std::{io, path::PathBuf};

use thiserror::Error;

/// The exit status "daemon unreachable".
pub(crate) const UNREACHABLE: u8 = 69;

/// The exit status "wrong protocol version, or not your daemon".
pub(crate) const NOT_YOURS: u8 = 76;

/// Why there is no connection.
#[derive(Debug, Error)]
pub enum ConnectError {
    /// Nobody listens at any of the sockets.
    #[error("no daemon is running")]
    NoDaemon {
        /// Where we looked.
        tried: Vec<PathBuf>,
    },
    /// A daemon is there and does not accept connections.
    #[error("the daemon at {path} does not accept connections", path = path.display())]
    Unresponsive {
        /// Where.
        path: PathBuf,
    },
    /// Somebody else's daemon listens there. Nothing was sent to it.
    #[error(
        "the daemon at {path} is not yours: it runs as {owner}",
        path = path.display(),
        owner = owner.as_deref().unwrap_or("nobody knows whom")
    )]
    NotOurs {
        /// Where.
        path: PathBuf,
        /// Whose it is, if the system says: `uid 1000`, or the SID of a Windows user.
        owner: Option<String>,
    },
    /// Somebody else may have put that socket there, or could put another there. Nothing was sent to it.
    #[error("the socket {path} is not safe to use: {why}", path = path.display())]
    Unsafe {
        /// Where.
        path: PathBuf,
        /// Whose doing it could be, and what to do.
        why: String,
    },
    /// A Unix socket cannot have such a path.
    #[error(
        "the socket path {path} is longer than {limit} bytes",
        path = path.display()
    )]
    TooLong {
        /// Which.
        path: PathBuf,
        /// How long it may be, in bytes.
        limit: usize,
    },
    /// A daemon waits at a named pipe of this machine, and this names none.
    #[error("{path} is no named pipe of this machine", path = path.display())]
    NotAPipe {
        /// What it is.
        path: PathBuf,
    },
    /// The system refused.
    #[error("cannot connect to {path}: {source}", path = path.display())]
    Failed {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl ConnectError {
    /// The exit status of a command that met this error.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::NotOurs { .. } | Self::Unsafe { .. } => NOT_YOURS,
            Self::NoDaemon { .. }
            | Self::Unresponsive { .. }
            | Self::TooLong { .. }
            | Self::NotAPipe { .. }
            | Self::Failed { .. } => UNREACHABLE,
        }
    }

    /// The error's name, as `--json` shows it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::NotOurs { .. } | Self::Unsafe { .. } => "not-your-daemon",
            _ => "daemon-unreachable",
        }
    }
}
