//! Why the demo ends early.

use std::io;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    /// A step came to something else than it announced.
    #[error("DIFFERS: expected {expected}, got {got}")]
    Differs { expected: String, got: String },
    /// The daemon and its command line could not be built.
    #[error("cannot build the programs: {0}")]
    Build(String),
    /// The daemon did not come up, or did not end.
    #[error("securid-sessiond {0}")]
    Daemon(String),
    /// A person, or the system, wants the demo to end.
    #[error("interrupted")]
    Interrupted,
    /// The system refuses a file, a process or the output.
    #[error("the system refuses what the demo needs: {0}")]
    System(#[from] io::Error),
}

impl Trouble {
    pub(crate) fn differs(expected: impl Into<String>, got: impl Into<String>) -> Self {
        Self::Differs { expected: expected.into(), got: got.into() }
    }

    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            // As shells have it after Ctrl-C.
            Self::Interrupted => 130,
            _ => 1,
        }
    }
}
