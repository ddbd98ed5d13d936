//! launchd, where it has our agent.

use std::{path::Path, process::Command, time::Duration};

use crate::{
    Context,
    failure::{FAILED, Failure, UNREACHABLE},
    launch::{UP_WITHIN, check_config},
    program,
};

/// What `start` is for.
pub(crate) const START: &str =
    "Start the daemon: through launchd where it has our agent, else as a program of its own";

/// The same at length.
pub(crate) const START_AT_LENGTH: &str = "\
Start the daemon: through launchd where it has our agent, else as a program of its own

Without launchd its log is sessiond.log in the state folder.";

/// What to do about a daemon that does not answer.
pub(crate) const STUCK: &str = "Is it stopped (kill -CONT) or stuck? Restart it if need be; it goes on where it was. If it \
                                wakes, it may still do what it was asked.";

/// What to do about one that is too old for this program.
pub(crate) const TOO_OLD: &str = "End it with the securid-ctl that it came with (stop --keep keeps its sessions); then securid-ctl start.";

/// launchd binds no socket for us.
pub(crate) fn how_to_close(socket: &Path) -> String {
    format!("ending what listens at {}", socket.display())
}

/// For what launchd knows by heart, or does by itself: it answers in milliseconds, unless it hangs.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// This user's launchd, as far as it has our agent.
#[derive(Debug, Clone)]
pub(crate) struct Manager(Agent);

impl Manager {
    /// What is waited for while it brings the daemon up.
    pub(crate) const WORK: &str = "launchd to start securid-sessiond";

    /// Where a daemon that it runs says what it has to say.
    pub(crate) const LOG: &str = "~/Library/Logs/securid-sessiond.log";

    /// The one that has our agent, if one has.
    ///
    /// # Errors
    /// None here.
    pub(crate) fn of_the_service() -> Result<Option<Self>, Failure> {
        let agent = Agent::ours();
        Ok(agent.told().is_some().then_some(Self(agent)))
    }

    /// Whether it has started this daemon.
    ///
    /// # Errors
    /// None here.
    pub(crate) fn runs(&self, pid: u32) -> Result<bool, Failure> {
        let told = self.0.told().unwrap_or_default();
        let said = told.lines().find_map(|line| line.trim().strip_prefix("pid = "));
        Ok(said.is_some_and(|said| said.trim() == pid.to_string()))
    }

    /// Has it bring the daemon up.
    ///
    /// # Errors
    /// In its own words, or of a bad config in the daemon's.
    pub(crate) fn start(&self, context: &Context) -> Result<(), Failure> {
        check_config(context)?;
        launchctl(&["kickstart", &self.0.target()], UP_WITHIN).map(drop).map_err(|failure| {
            failure.exiting(UNREACHABLE).with_hint(format!("See {}.", Self::LOG))
        })
    }
}

/// A program that launchd runs for this user while he is logged in.
#[derive(Debug, Clone)]
pub(crate) struct Agent {
    domain: String,
}

impl Agent {
    /// What launchd calls it.
    pub(crate) const LABEL: &str = "securid-sessiond";

    /// Our daemon.
    pub(crate) fn ours() -> Self {
        Self { domain: format!("gui/{}", rustix::process::getuid().as_raw()) }
    }

    /// The part of launchd that is this login's.
    pub(crate) fn domain(&self) -> &str {
        &self.domain
    }

    /// The agent in it.
    pub(crate) fn target(&self) -> String {
        format!("{}/{}", self.domain, Self::LABEL)
    }

    /// What launchd tells of it; none if it does not have it, or does not answer.
    pub(crate) fn told(&self) -> Option<String> {
        launchctl(&["print", &self.target()], ANSWER_WITHIN).ok()
    }
}

/// Runs `launchctl` with these words.
///
/// # Errors
/// In launchd's own words, or that it hangs.
pub(crate) fn launchctl(words: &[&str], within: Duration) -> Result<String, Failure> {
    let mut command = Command::new("/bin/launchctl");
    command.args(words);
    let ended = program::run(command, within)?;
    if ended.status.success() {
        return Ok(ended.out);
    }
    let said = format!("launchctl {}: {}", words.join(" "), ended.complaint());
    Err(Failure::new("launchd", said, FAILED))
}
