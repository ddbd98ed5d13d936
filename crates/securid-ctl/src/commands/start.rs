//! `start`: bring the daemon up.

use securid_ipc::messages::StatusView;
use serde::Serialize;

use crate::{
    Context,
    failure::Failure,
    interrupt::Interrupt,
    launch::{self, Way},
    manager,
    waiting::waiting,
};

/// What is waited for where a daemon is there, and may be busy.
pub(crate) const ITS_ANSWER: &str = "the daemon to answer";

/// The exit status for a bad config.
const BAD_CONFIG: u8 = 78;

/// Start the daemon
#[derive(Debug, clap::Args)]
#[command(about = manager::START, long_about = manager::START_AT_LENGTH)]
pub(crate) struct Args {}

/// As `--json` shows it.
#[derive(Serialize)]
struct Started {
    pid: u32,
    version: String,
    /// Whether it ran before.
    already: bool,
}

impl Args {
    pub(crate) fn run(self, context: &Context) -> Result<u8, Failure> {
        let _interrupt = Interrupt::arm()?;
        let running = waiting(context, ITS_ANSWER, || launch::answering(context))?;
        let already = running.is_some();
        let status = match running {
            Some(status) => status,
            None => Way::choose(context)?.launch(context)?,
        };
        not_draining(&status)?;
        let started = Started { pid: status.pid, version: status.version, already };
        context.screen.show(&started, |started| match started.already {
            true => format!("it runs already (process {})\n", started.pid),
            false => format!("started (process {})\n", started.pid),
        })?;
        Ok(0)
    }
}

/// A daemon that only revokes what is recorded, because its config is bad, is none that was started.
pub(crate) fn not_draining(status: &StatusView) -> Result<(), Failure> {
    if status.problems.iter().any(|problem| problem.starts_with("draining")) {
        let failure = Failure::new("bad-config", status.problems.join("\n"), BAD_CONFIG);
        return Err(failure.with_hint("Mend the config; then securid-ctl restart."));
    }
    Ok(())
}
