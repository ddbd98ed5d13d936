//! `restart`: replace the program, as after an update, and keep the sessions.

use std::collections::HashSet;

use securid_ipc::messages::SessionState;
use serde::Serialize;

use super::start::{ITS_ANSWER, not_draining};
use crate::{
    Context,
    daemon::is_nobody,
    ending::Running,
    failure::{Failure, UNREACHABLE},
    interrupt::Interrupt,
    launch::{self, Way},
    waiting::waiting,
};

/// Replace the daemon by a new one, which goes on with the sessions
///
/// With a bad config nothing is touched. One that does not run is started.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

/// As `--json` shows it.
#[derive(Serialize)]
struct Restarted {
    pid: u32,
    version: String,
    /// How many active sessions went over from the old daemon to the new one.
    kept: usize,
    /// How many active sessions the old one had.
    had: usize,
}

impl Args {
    pub(crate) fn run(self, context: &Context) -> Result<u8, Failure> {
        let _interrupt = Interrupt::arm()?;
        // All that could keep the new one from coming up is looked at while the old one runs.
        let check = || launch::check_config(context);
        waiting(context, "securid-sessiond to check its config", check).map_err(|failure| {
            failure.with_hint("Mend it, and try again: the daemon was not touched.")
        })?;
        let find = || Running::find(context);
        let (way, had) = match waiting(context, ITS_ANSWER, find) {
            Ok(running) => {
                let running = running?;
                let way = Way::of(context, running.pid)?;
                let had = active(&running);
                let end = || running.end(Some(true));
                waiting(context, "the old daemon to end, which keeps the sessions", end)?;
                (way, had)
            }
            Err(error) if is_nobody(&error) => (Way::choose(context)?, HashSet::new()),
            Err(error) => return Err(error.into()),
        };
        let status = up_again(context, way, had.len())?;
        not_draining(&status)?;
        let kept = active(&waiting(context, ITS_ANSWER, find)??).intersection(&had).count();
        let restarted =
            Restarted { pid: status.pid, version: status.version, kept, had: had.len() };
        context.screen.show(&restarted, |it| match (it.kept, it.had) {
            (kept, had) if kept == had => {
                format!("restarted (process {}); sessions kept: {kept}\n", it.pid)
            }
            (kept, had) => {
                format!("restarted (process {}); sessions kept: {kept} of {had}\n", it.pid)
            }
        })?;
        Ok(0)
    }
}

fn active(running: &Running) -> HashSet<String> {
    let active = running.sessions.iter().filter(|it| it.state == SessionState::Active);
    active.map(|session| session.id.clone()).collect()
}

/// Its socket may start it, else we do.
fn up_again(
    context: &Context,
    way: Way,
    kept: usize,
) -> Result<securid_ipc::messages::StatusView, Failure> {
    let up = match waiting(context, "the new daemon to answer", || launch::answering(context)) {
        Ok(Some(status)) => Ok(status),
        Ok(None) => way.launch(context),
        Err(failure) => Err(failure),
    };
    up.map_err(|failure| match kept {
        0 => failure.exiting(UNREACHABLE),
        _ => failure.exiting(UNREACHABLE).with_hint(format!(
            "Sessions that the old daemon kept, and that live on at the server: {kept}. \
             securid-ctl start goes on with them."
        )),
    })
}
