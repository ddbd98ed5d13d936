//! `login`: `loginUser`, with a password from the terminal, standard input or a file.

use std::io::{self, BufRead as _, Write as _, stderr, stdin};

use securid_ipc::{
    client::Client,
    messages::{Call, Login, TakenView},
};

use super::add;
use crate::{
    Context,
    credentials::{Credentials, lacks_username, no_username},
    daemon::ask_patiently,
    failure::{Failure, USAGE},
    interrupt::Interrupt,
    secrets,
};

/// Below the options, and in the manual page.
const EXAMPLES: &str = "\
Examples:
  securid-ctl login prod
      asks for the password, and logs in at prod as the config says
  securid-ctl login prod --username ann --password-file ~/.prod-password
      asks nobody";

/// Log in, and let the daemon hold the token
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// Where to log in [else the config's default]
    instance: Option<String>,
    #[command(flatten)]
    credentials: Credentials,
    /// Revoke this user's other sessions there
    #[arg(long)]
    replace: bool,
}

impl Args {
    pub(crate) fn run(self, context: &Context) -> Result<u8, Failure> {
        let interrupt = Interrupt::arm()?;
        let asks = self.credentials.asks();
        let password = if asks {
            secrets::from_terminal(&interrupt, "Password: ")?
        } else {
            self.credentials.read_password()?
        };
        let Credentials { username, auth_source, .. } = self.credentials;
        let (instance, replace) = (self.instance, self.replace);
        let mut login = Login { instance, username, password, auth_source, replace, tied: false };
        let mut client = Client::connect(&context.paths.sockets)?;
        let mut answer = ask_patiently(context, &mut client, &Call::Login(login.clone()));
        if asks && lacks_username(&answer) {
            login.username = Some(ask_username()?);
            answer = ask_patiently(context, &mut client, &Call::Login(login));
        }
        if lacks_username(&answer) {
            return Err(no_username());
        }
        let taken: TakenView = answer?;
        add::show(context, &taken)?;
        Ok(0)
    }
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
