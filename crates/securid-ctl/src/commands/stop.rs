//! `stop`: end the daemon.

use securid_ipc::messages::{SessionState, SessionView};
use serde::Serialize;

use crate::{
    Context,
    ending::{PENDING, Running, left_over},
    failure::Failure,
    interrupt::Interrupt,
    manager::how_to_close,
    progress::{Meant, shown},
};

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

/// As `--json` shows it.
#[derive(Serialize)]
struct Stopped {
    /// Whether the sessions are kept for the next start.
    keep: bool,
    /// Whether the next call starts it again.
    activated: bool,
}

impl Args {
    pub(crate) fn run(self, context: &Context) -> Result<u8, Failure> {
        let interrupt = Interrupt::arm()?;
        let running = Running::find(context)??;
        let before = running.sessions.clone();
        let keep = (self.keep || self.revoke).then_some(self.keep);
        let gone = match keep {
            Some(true) => running.end(keep)?,
            _ => {
                let lost = |session: &&SessionView| session.state == SessionState::Lost;
                let total = before.len() - before.iter().filter(lost).count();
                shown(context, &interrupt, Meant::All, total as u64, || running.end(keep))??
            }
        };
        let left = if gone.kept { 0 } else { left_over(context, &before) };
        if left > 0 {
            let sessions = if left == 1 { "session" } else { "sessions" };
            let message = format!("the daemon has ended with {left} {sessions} unconfirmed");
            let failure = Failure::new("pending", message, PENDING);
            return Err(failure.with_hint("The next start of securid-sessiond goes on with them."));
        }
        let stopped = Stopped { keep: gone.kept, activated: gone.socket.is_some() };
        context.screen.show(&stopped, |stopped| {
            let mut text = match stopped.keep {
                true => "stopped; the sessions are kept for the next start\n".to_owned(),
                false => "stopped\n".to_owned(),
            };
            if let Some(socket) = &gone.socket {
                text.push_str(&format!(
                    "its socket starts it again at the next call; {} closes that as well\n",
                    how_to_close(socket)
                ));
            }
            text
        })?;
        Ok(0)
    }
}
