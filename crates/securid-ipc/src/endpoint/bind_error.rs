//! Why there is nothing that clients could come to.

use std::{io, path::PathBuf};

use securid_trust::folder::FolderError;
use thiserror::Error;

/// Why a socket could not be bound.
#[derive(Debug, Error)]
pub enum BindError {
    /// A daemon answers there.
    #[error("another daemon listens on {path}", path = path.display())]
    InUse {
        /// Where.
        path: PathBuf,
    },
    /// A Unix socket cannot have such a path.
    #[error(
        "the socket path {path} is longer than {limit} bytes: \
         name a shorter one with --socket",
        path = path.display()
    )]
    TooLong {
        /// Which.
        path: PathBuf,
        /// How long it may be, in bytes.
        limit: usize,
    },
    /// Clients come to a named pipe of this machine, and this names none.
    #[error(
        "{path} is no named pipe of this machine: name one with --socket, as \\\\.\\pipe\\NAME",
        path = path.display()
    )]
    NotAPipe {
        /// What it is.
        path: PathBuf,
    },
    /// Another user's program has a pipe of that name.
    #[error(
        "the pipe {path} is another user's: have his program ended, or name another pipe with --socket",
        path = path.display()
    )]
    NotOurs {
        /// Which.
        path: PathBuf,
    },
    /// Its folder is not ours alone.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// Something that is no socket has the path; it is left alone.
    #[error("{path} is there and is no socket: move it away", path = path.display())]
    NotASocket {
        /// Where.
        path: PathBuf,
    },
    /// What was handed over waits for no clients, or at no path where they would look.
    #[error(
        "the socket that was handed over {what}: give its unit ListenStream= with a path, and Accept=no"
    )]
    NotForUs {
        /// What is wrong with it.
        what: &'static str,
    },
    /// The system refused.
    #[error("cannot listen on {path}: {source}", path = path.display())]
    Failed {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}
