//! What can go wrong, with the exit statuses of the contract.

use std::path::PathBuf;

use thiserror::Error;

pub use crate::endpoint::ConnectError;
use crate::{
    PROTOCOL, VERSION,
    endpoint::{NOT_YOURS, UNREACHABLE},
    framing::TooLong,
    messages::RpcError,
};

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
