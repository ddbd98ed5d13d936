//! `forget`: give a token up that the server has not declared dead.

use securid_ipc::messages::{Call, Forget, SessionRef};

use crate::{
    Context,
    daemon::{ANSWER_WITHIN, ask},
    failure::Failure,
    screen::printable,
};

/// Below the options, and in the manual page.
const EXAMPLES: &str = "\
Examples:
  securid-ctl forget 3f9a --yes
      gives up the session whose id begins so";

/// Give a session up unrevoked, on your word; it stands in the history as forgotten
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// The session's id
    id: String,
    /// Yes: whoever has the token can go on using it until the server ends it
    #[arg(long, required = true)]
    yes: bool,
}

impl Args {
    pub(crate) fn run(self, context: &Context) -> Result<u8, Failure> {
        let call = Call::Forget(Forget { session: self.id });
        let forgotten: SessionRef = ask(context, &call, ANSWER_WITHIN)?;
        context.screen.show(&forgotten, |it| format!("forgot {}\n", printable(&it.session)))?;
        Ok(0)
    }
}
