//! What can go wrong, with the exit statuses of the contract.

use std::{io, path::PathBuf};

use thiserror::Error;

use crate::{PROTOCOL, VERSION, framing::TooLong, messages::RpcError, paths::SOCKET_PATH_LIMIT};

/// The exit status "daemon unreachable".
const UNREACHABLE: u8 = 69;

/// The exit status "wrong protocol version, or not your daemon".
const NOT_YOURS: u8 = 76;

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
        owner = owner.map_or_else(|| "nobody knows whom".to_owned(), |uid| format!("uid {uid}"))
    )]
    NotOurs {
        /// Where.
        path: PathBuf,
        /// Whose it is, if the kernel says.
        owner: Option<u32>,
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
        "the socket path {path} is longer than {SOCKET_PATH_LIMIT} bytes",
        path = path.display()
    )]
    TooLong {
        /// Which.
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

/// Why a call has no result.
#[derive(Debug, Error)]
pub enum ClientError {
    /// The daemon says why not.
    #[error(transparent)]
    Rpc(RpcError),
    /// The call does not fit into a request line. Nothing was sent.
    #[error("the request is too long: {0}")]
    TooLong(TooLong),
    /// Not even `daemon.hello` was answered.
    #[error("the daemon at {path} does not answer", path = path.display())]
    Unresponsive {
        /// Where.
        path: PathBuf,
    },
    /// The daemon lives, and had no result in time.
    #[error("the daemon at {path} did not finish in time", path = path.display())]
    TooSlow {
        /// Where.
        path: PathBuf,
    },
    /// The daemon has gone before it answered.
    #[error("the daemon at {path} ended before it answered", path = path.display())]
    Disconnected {
        /// Where.
        path: PathBuf,
    },
    /// It speaks another protocol number.
    #[error(
        "the daemon speaks protocol {theirs} (version {version}), this program {PROTOCOL} (version {VERSION}): it is \
         {than} this program",
        than = if *theirs > PROTOCOL { "newer than" } else { "older than" }
    )]
    WrongProtocol {
        /// Its number.
        theirs: u32,
        /// Its version.
        version: String,
    },
    /// It speaks this protocol, and is of a version that has no such method or parameter yet.
    #[error(
        "the daemon (version {version}) is older than this program ({VERSION}), and does not know {what}"
    )]
    Outdated {
        /// Its version.
        version: String,
        /// The method, or a parameter in the daemon's words.
        what: String,
    },
    /// What it says is not this protocol.
    #[error("the daemon at {path} gave an answer that makes no sense", path = path.display())]
    Garbled {
        /// Where.
        path: PathBuf,
    },
}

impl ClientError {
    /// The exit status of a command that met this error.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Rpc(error) => error.exit_code(),
            Self::TooLong(_) => 1,
            Self::Unresponsive { .. } | Self::TooSlow { .. } | Self::Disconnected { .. } => {
                UNREACHABLE
            }
            Self::WrongProtocol { .. } | Self::Outdated { .. } | Self::Garbled { .. } => NOT_YOURS,
        }
    }

    /// The error's name, as `--json` shows it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Rpc(error) => error.code.name(),
            Self::TooLong(_) => "limit-exceeded",
            Self::Unresponsive { .. } | Self::TooSlow { .. } | Self::Disconnected { .. } => {
                "daemon-unreachable"
            }
            Self::WrongProtocol { .. } | Self::Outdated { .. } | Self::Garbled { .. } => {
                "wrong-protocol"
            }
        }
    }
}
