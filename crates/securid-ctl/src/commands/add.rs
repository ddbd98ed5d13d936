//! `add`: take over a token from elsewhere.

use securid_ipc::{
    client::Client,
    messages::{Add, Call, TakenView},
};

use crate::{
    Context, daemon::ask_patiently, failure::Failure, interrupt::Interrupt, screen::printable,
    secrets,
};

/// Below the options, and in the manual page.
const EXAMPLES: &str = "\
Examples:
  some-command | securid-ctl add prod --token-stdin
      takes over what the command prints";

/// Take over a token from elsewhere
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// The instance that issued it [else the config's default]
    instance: Option<String>,
    /// Read the token from standard input
    #[arg(long, required = true)]
    token_stdin: bool,
    /// Whose token it is
    #[arg(long, value_name = "U")]
    username: Option<String>,
}

impl Args {
    pub(crate) fn run(self, context: &Context) -> Result<u8, Failure> {
        let _interrupt = Interrupt::arm()?;
        let token = secrets::from_stdin("token")?;
        let call = Call::Add(Add { instance: self.instance, token, username: self.username });
        let mut client = Client::connect(&context.paths.sockets)?;
        let taken: TakenView = ask_patiently(context, &mut client, &call)?;
        show(context, &taken)?;
        Ok(0)
    }
}

/// Says which session there is now, and what a person should know about it.
pub(super) fn show(context: &Context, taken: &TakenView) -> Result<(), Failure> {
    context.screen.show(taken, |taken| {
        let session = &taken.session;
        let user = session.username.as_deref().map(|user| format!("{}@", printable(user)));
        let (user, instance) = (user.unwrap_or_default(), printable(&session.instance));
        format!("session {} ({user}{instance})\n", printable(&session.id))
    })?;
    if let Some(warning) = &taken.warning {
        context.screen.warn(warning);
    }
    Ok(())
}
