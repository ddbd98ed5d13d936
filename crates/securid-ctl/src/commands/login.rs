//! `login`: `loginUser`, with a password from the terminal, a program, standard input or a file; or with an assertion.

use std::path::{Path, PathBuf};

use securid_ipc::{
    client::{Client, ClientError},
    framing::REQUEST_LIMIT,
    messages::{Call, TakenView},
};

use super::add;
use crate::{
    Context,
    credentials::{Credentials, lacking},
    daemon::ask_patiently,
    failure::Failure,
    interrupt::Interrupt,
    secrets,
    words::PASSWORD_IN,
};

/// Below the options, and in the manual page.
fn examples() -> String {
    format!(
        "\
Examples:
  securid-ctl login prod
      asks for the password, and logs in at prod as the config says
  securid-ctl login prod --username ann --password-file {PASSWORD_IN}
      asks nobody"
    )
}

/// Log in, and let the daemon hold the token
#[derive(Debug, clap::Args)]
#[command(after_long_help = examples())]
pub(crate) struct Args {
    /// Where to log in [else the config's default]
    instance: Option<String>,
    #[command(flatten)]
    credentials: Credentials,
    /// Send this file (or - for standard input) in the place of name and password, as it is: what a single
    /// sign-on says of a person, a SAML assertion for instance; nobody else may read it
    #[arg(long, value_name = "FILE", conflicts_with_all = ["password_stdin", "password_file", "askpass"])]
    input: Option<PathBuf>,
    /// Revoke this user's other sessions there
    #[arg(long)]
    replace: bool,
}

impl Args {
    pub(crate) fn run(self, context: &Context) -> Result<u8, Failure> {
        let interrupt = Interrupt::arm()?;
        let (instance, credentials) = (self.instance, self.credentials);
        let mut login = match &self.input {
            Some(file) => {
                let assertion = secrets::whole(file, "assertion")?;
                credentials.login_with_assertion(instance, assertion)
            }
            None => credentials.login(context, instance, &interrupt)?,
        };
        login.replace = self.replace;
        let mut client = Client::connect(&context.paths.sockets)?;
        let answer = ask_patiently(context, &mut client, &Call::Login(login));
        if let Some(failure) = lacking(&answer) {
            return Err(failure);
        }
        if let (Some(file), Err(ClientError::TooLong(_))) = (&self.input, &answer) {
            return Err(too_long(file));
        }
        let taken: TakenView = answer?;
        add::show(context, &taken, "logged in")?;
        Ok(0)
    }
}

fn too_long(file: &Path) -> Failure {
    let message = format!(
        "{} is too long: with quotes and line ends escaped, an assertion has to fit into a request of {} KiB",
        file.display(),
        REQUEST_LIMIT / 1024
    );
    Failure::usage(message).with_hint("Nothing was sent.")
}
