//! Who logs in, and where the password comes from: for `login` and `exec --login` alike.

use std::path::PathBuf;

use securid_ipc::client::ClientError;
use securid_secret::Secret;

use crate::{failure::Failure, secrets};

/// What the password has to be called among systemd's credentials.
const CREDENTIAL: &str = "securid-password";

/// How to log in.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Credentials {
    /// Who logs in [else as configured]
    #[arg(long, value_name = "U")]
    pub(crate) username: Option<String>,
    /// The authentication source [else as configured]
    #[arg(long, value_name = "S")]
    pub(crate) auth_source: Option<String>,
    /// Read the password from standard input
    #[arg(long, conflicts_with = "password_file")]
    password_stdin: bool,
    /// Read the password from a file that nobody else may read [else systemd's credential
    /// securid-password, else asked on the terminal]
    #[arg(long, value_name = "F")]
    password_file: Option<PathBuf>,
}

impl Credentials {
    /// Whether a person is to be asked, and can be.
    pub(crate) fn asks(&self) -> bool {
        !self.password_stdin && self.file().is_none() && secrets::is_terminal()
    }

    /// Reads the password from where it is without asking anybody.
    pub(crate) fn read_password(&self) -> Result<Secret, Failure> {
        if self.password_stdin {
            return secrets::from_stdin("password");
        }
        match self.file() {
            Some(file) => secrets::from_file(&file, "password"),
            None => {
                let failure = Failure::usage("there is no terminal to ask for the password");
                Err(failure.with_hint("Use --password-stdin or --password-file."))
            }
        }
    }

    fn file(&self) -> Option<PathBuf> {
        self.password_file.clone().or_else(|| secrets::credential(CREDENTIAL))
    }
}

/// Whether the daemon knows of no user who could log in.
pub(crate) fn lacks_username<T>(answer: &Result<T, ClientError>) -> bool {
    matches!(answer, Err(ClientError::Rpc(error))
        if error.data.missing.as_deref() == Some("username"))
}

/// What to say then.
pub(crate) fn no_username() -> Failure {
    Failure::usage("neither the config nor the command says who logs in")
        .with_hint("Say it with --username.")
}
