//! Why the daemon does not start, or ends badly.

use securid_ipc::paths::PathError;
use securid_ipc::server::BindError;
use securid_store::{DiskError, DiskErrorKind, LockError};

use crate::activation::BadSocket;
use crate::config::Fault;
use crate::make_key::NoKey;

/// The exit status for a bad config (sysexits' EX_CONFIG); systemd is told not to restart on it.
pub(crate) const BAD_CONFIG: u8 = 78;
/// For a keyring or disk that cannot be used (EX_IOERR).
const STORAGE_FAILED: u8 = 74;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("{}", list(.0))]
    Config(Vec<Fault>),
    #[error("{0}\nStop that daemon first, or name another --state-dir.")]
    Held(LockError),
    #[error("{error}\n{hint}", error = .0, hint = hint(.0))]
    Disk(#[from] DiskError),
    #[error("{0}\nStop that daemon first, or name another --socket.")]
    InUse(BindError),
    #[error("{0}")]
    Bind(BindError),
    #[error("{0}")]
    Activation(#[from] BadSocket),
    #[error("{0}")]
    Paths(#[from] PathError),
    #[error("the system refuses what the daemon needs: {0}")]
    System(#[from] std::io::Error),
    #[error("no random numbers: {0}")]
    Random(getrandom::Error),
    #[error("{0}")]
    NoKey(#[from] NoKey),
}

/// All faults, a line each.
pub(crate) fn list(faults: &[Fault]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// What to do at a start; while it runs, other things can be wrong with a folder.
fn hint(error: &DiskError) -> String {
    match error.kind {
        DiskErrorKind::Gone | DiskErrorKind::Other | DiskErrorKind::Stopped => {
            "Name another folder with --state-dir.".to_owned()
        }
        _ => crate::trouble::disk(error).data.hint.unwrap_or_default(),
    }
}

impl Failure {
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Config(_) => BAD_CONFIG,
            Self::Disk(_) => STORAGE_FAILED,
            _ => 1,
        }
    }
}

impl From<LockError> for Failure {
    fn from(error: LockError) -> Self {
        match error {
            LockError::Held { .. } => Self::Held(error),
            LockError::Disk(error) => Self::Disk(error),
        }
    }
}
