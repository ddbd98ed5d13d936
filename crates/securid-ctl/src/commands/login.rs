//! `login`: `loginUser`, with a password from the terminal, standard input or a file.

use std::{
    io::{self, BufRead as _, Write as _, stderr, stdin},
    path::PathBuf,
};

use securid_ipc::{
    client::{Client, ClientError},
    messages::{Call, Login, TakenView},
};
use securid_secret::Secret;

use super::add;
use crate::{
    Context,
    daemon::ask_patiently,
    failure::{Failure, USAGE},
    interrupt::Interrupt,
    secrets,
};

/// Log in, and let the daemon hold the token
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where to log in [else the config's default]
    instance: Option<String>,
    /// Who logs in [else as configured]
    #[arg(long, value_name = "U")]
    username: Option<String>,
    /// The authentication source [else as configured]
    #[arg(long, value_name = "S")]
    auth_source: Option<String>,
    /// Read the password from standard input
    #[arg(long, conflicts_with = "password_file")]
    password_stdin: bool,
    /// Read the password from a file that nobody else may read
    #[arg(long, value_name = "F")]
    password_file: Option<PathBuf>,
    /// Revoke this user's other sessions there
    #[arg(long)]
    replace: bool,
}

impl Args {
    pub(crate) fn run(self, context: &Context) -> Result<u8, Failure> {
        let interrupt = Interrupt::arm()?;
        let asks = !self.password_stdin && self.password_file.is_none();
        let password = self.password(&interrupt)?;
        let mut login = Login {
            instance: self.instance,
            username: self.username,
            password,
            auth_source: self.auth_source,
            replace: self.replace,
        };
        let mut client = Client::connect(&context.paths.sockets)?;
        let mut answer = ask_patiently(context, &mut client, &Call::Login(login.clone()));
        if asks && lacks_username(&answer) {
            login.username = Some(ask_username()?);
            answer = ask_patiently(context, &mut client, &Call::Login(login));
        }
        if lacks_username(&answer) {
            let failure = Failure::usage("neither the config nor the command says who logs in");
            return Err(failure.with_hint("Say it with --username."));
        }
        let taken: TakenView = answer?;
        add::show(context, &taken)?;
        Ok(0)
    }

    fn password(&self, interrupt: &Interrupt) -> Result<Secret, Failure> {
        if self.password_stdin {
            return secrets::from_stdin("password");
        }
        if let Some(path) = &self.password_file {
            return secrets::from_file(path, "password");
        }
        if !secrets::is_terminal() {
            let failure = Failure::usage("there is no terminal to ask for the password");
            return Err(failure.with_hint("Use --password-stdin or --password-file."));
        }
        secrets::from_terminal(interrupt, "Password: ")
    }
}

fn lacks_username(answer: &Result<TakenView, ClientError>) -> bool {
    matches!(answer, Err(ClientError::Rpc(error))
        if error.data.missing.as_deref() == Some("username"))
}

fn ask_username() -> Result<String, Failure> {
    let cannot = |error: io::Error| Failure::usage(format!("no username was given: {error}"));
    stderr().write_all(b"Username: ").map_err(cannot)?;
    let mut line = String::new();
    stdin().lock().read_line(&mut line).map_err(cannot)?;
    match line.trim() {
        "" => Err(Failure::new("usage", "no username was given", USAGE)),
        name => Ok(name.to_owned()),
    }
}
