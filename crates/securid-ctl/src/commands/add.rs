//! `add`: take over a token from elsewhere.

use securid_ipc::{
    client::Client,
    messages::{Add, Call, SessionView, TakenView},
};

use crate::{
    Context, daemon::ask_patiently, failure::Failure, interrupt::Interrupt, screen::printable,
    secrets, times::between,
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
        show(context, &taken, "taken over")?;
        Ok(0)
    }
}

/// Says which session there is now, when it ends by itself, and what a person should know about it.
pub(super) fn show(context: &Context, taken: &TakenView, done: &str) -> Result<(), Failure> {
    context.screen.show(taken, |taken| {
        let session = &taken.session;
        let user = session.username.as_deref().map(|user| format!(" as {}", printable(user)));
        let (user, instance) = (user.unwrap_or_default(), printable(&session.instance));
        format!(
            "{done}{user} at {instance}: session {}\n{}{}",
            printable(&session.id),
            limits(session),
            replaced(taken.replaced.unwrap_or_default())
        )
    })?;
    if let Some(warning) = &taken.warning {
        context.screen.warn(warning);
    }
    Ok(())
}

fn replaced(number: u32) -> String {
    match number {
        0 => String::new(),
        1 => "1 other session is being revoked\n".to_owned(),
        number => format!("{number} other sessions are being revoked\n"),
    }
}

fn limits(session: &SessionView) -> String {
    let idle = between(&session.last_used_at, session.idle_deadline.as_deref());
    let idle = idle.map(|idle| format!("once it is not used for {idle}"));
    let lifetime = between(&session.created_at, session.expires_at.as_deref());
    let lifetime = lifetime.map(|lifetime| format!("in {lifetime}"));
    match (idle, lifetime) {
        (Some(idle), Some(lifetime)) => format!("revoked {idle}, and {lifetime} at the latest\n"),
        (Some(one), None) | (None, Some(one)) => format!("revoked {one}\n"),
        (None, None) => String::new(),
    }
}
