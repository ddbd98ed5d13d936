//! `check`: is there an active session? Silent, and never counts as use.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use securid_ipc::{
    client::{Client, ClientError},
    duration::parse_duration,
    messages::{Call, ErrorCode, OneSession, SessionState, SessionView},
};

use crate::{
    Context,
    daemon::{ANSWER_WITHIN, selector},
    failure::Failure,
};

/// The exit status "no such session".
const NO_SESSION: u8 = 66;

/// Below the options, and in the manual page.
const EXAMPLES: &str = "\
Examples:
  securid-ctl check prod || securid-ctl login prod
      logs in if there is no session
  securid-ctl check --remaining 10m
      exits with 66 if the session would end before that";

/// Say by the exit status alone whether there is an active session: 0 or 66
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// Which session [else $SECURID_SESSION]
    selector: Option<String>,
    /// It must last for at least this long yet, idle
    #[arg(long, value_name = "D", value_parser = parse_duration)]
    remaining: Option<Duration>,
}

impl Args {
    pub(crate) fn run(self, context: &Context) -> Result<u8, Failure> {
        let mut client = Client::connect(&context.paths.sockets)?;
        let call = Call::Show(OneSession { session: selector(self.selector) });
        match client.call::<SessionView>(&call, ANSWER_WITHIN) {
            Ok(session) if session.state != SessionState::Active => Ok(NO_SESSION),
            Ok(session) if ends_within(&session, self.remaining) => Ok(NO_SESSION),
            Ok(_) => Ok(0),
            Err(ClientError::Rpc(error)) if error.code == ErrorCode::NoSuchSession => {
                Ok(NO_SESSION)
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Whether the nearer of its two ends comes before so long. A time that cannot be read counts as
/// near: nobody should rely on it.
fn ends_within(session: &SessionView, remaining: Option<Duration>) -> bool {
    let Some(remaining) = remaining.and_then(|span| SignedDuration::try_from(span).ok()) else {
        return false;
    };
    let now = Timestamp::now();
    [&session.expires_at, &session.idle_deadline]
        .into_iter()
        .flatten()
        .any(|end| end.parse::<Timestamp>().map_or(true, |end| end.duration_since(now) < remaining))
}
