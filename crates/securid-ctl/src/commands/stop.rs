//! `stop`: end the daemon.

use std::time::Duration;

use securid_ipc::{
    client::Client,
    messages::{Call, SessionState, SessionView, Stop, StopView},
};

use crate::{
    Context, commands::list, daemon::ANSWER_WITHIN, failure::Failure, interrupt::Interrupt, records,
};

/// How long the daemon may take to revoke and end: its `shutdown_grace` is 20 s unless configured.
const GONE_WITHIN: Duration = Duration::from_secs(30);

/// The exit status while tokens are not confirmed dead.
const PENDING: u8 = 75;

/// End the daemon
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Revoke every session first [the default is the config's on_exit]
    #[arg(long, conflicts_with = "keep")]
    revoke: bool,
    /// Keep the sessions for the next start
    #[arg(long)]
    keep: bool,
}

impl Args {
    pub(crate) fn run(self, context: &Context) -> Result<u8, Failure> {
        let _interrupt = Interrupt::arm()?;
        let mut client = Client::connect(&context.paths.sockets)?;
        let before = list::all(&mut client)?;
        let keep = (self.keep || self.revoke).then_some(self.keep);
        let stopping: StopView = client.call(&Call::Stop(Stop { keep }), ANSWER_WITHIN)?;
        if !client.wait_closed(Some(GONE_WITHIN)) {
            let failure = Failure::new("pending", "the daemon has not ended yet", PENDING);
            return Err(failure.with_hint("It goes on by itself: see securid-ctl status."));
        }
        let left = if stopping.keep { 0 } else { left_over(context, &before) };
        if left > 0 {
            let sessions = if left == 1 { "session" } else { "sessions" };
            let message = format!("the daemon has ended with {left} {sessions} unconfirmed");
            let failure = Failure::new("pending", message, PENDING);
            return Err(failure.with_hint("The next start of securid-sessiond goes on with them."));
        }
        context.screen.show(&stopping, |stopping| match stopping.keep {
            true => "stopped; the sessions are kept for the next start\n".to_owned(),
            false => "stopped\n".to_owned(),
        })?;
        Ok(0)
    }
}

/// How many of the daemon's sessions it has left on record; a lost one is nothing that the next
/// daemon could go on with. It may run with another state folder than ours; then nothing is seen
/// here, and nothing is claimed.
fn left_over(context: &Context, before: &[SessionView]) -> usize {
    let pending = before.iter().filter(|session| session.state != SessionState::Lost);
    pending.filter(|session| records::exist(&context.paths.state_dirs, &session.id)).count()
}
