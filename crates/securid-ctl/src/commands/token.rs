//! `token`: print the token, and count as use.

use std::{io, time::Duration};

use securid_ipc::{
    duration::parse_duration,
    messages::{Call, TokenView, Use},
};
use securid_secret::SecretBytes;

use crate::{
    Context,
    daemon::{ANSWER_WITHIN, ask, selector},
    failure::Failure,
};

/// Below the options, and in the manual page.
const EXAMPLES: &str = "\
Examples:
  securid-ctl token prod
      prints the token of prod's session
  securid-ctl token prod --for 1h
      prints it, and keeps the session in use for an hour";

/// Print a session's token; counts as use: its idle time begins anew
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// Which session [else $SECURID_SESSION]
    selector: Option<String>,
    /// Count it as in use for this long from now
    #[arg(long = "for", value_name = "D", value_parser = parse_duration)]
    in_use_for: Option<Duration>,
}

impl Args {
    pub(crate) fn run(self, context: &Context) -> Result<u8, Failure> {
        let call =
            Call::Token(Use { session: selector(self.selector), in_use_for: self.in_use_for });
        let lent: TokenView = ask(context, &call, ANSWER_WITHIN)?;
        let mut line = SecretBytes::new();
        if context.screen.json {
            serde_json::to_writer(&mut line, &lent).map_err(io::Error::from)?;
        } else {
            line.extend_from_slice(lent.token.expose().as_bytes());
        }
        line.push(b'\n');
        context.screen.secret(&line)?;
        Ok(0)
    }
}
