//! An agent of launchd, which is run while its user is logged in.

mod agent;

use std::{env::home_dir, path::PathBuf, time::Duration};

use super::{
    Args, config,
    files::Files,
    signed::{Found, look},
    step::Step,
};
use crate::{
    Context,
    failure::{FAILED, Failure},
    launch,
    manager::{Agent, launchctl},
};

/// What the command is for.
pub(super) const ABOUT: &str = "Have launchd run the daemon for you, and write a first config";

/// The same at length.
pub(super) const LONG_ABOUT: &str = "\
Have launchd run the daemon for you, and write a first config

What you have changed, or written yourself, is never written over. Twice is the same as once, and once more \
with another URL corrects the first config.";

/// Below the options, and in the manual page.
pub(super) const EXAMPLES: &str = "\
Examples:
  securid-ctl setup --url https://gl.example.com:8443/aveksa --instance prod --username ann
      writes a first config, and has launchd run the daemon
  securid-ctl setup --print
      shows what would be done";

/// Who knows nothing of flags and variables of ours.
pub(super) const MANAGER: &str = "launchd";

/// For what starts or stops the daemon: its `shutdown_grace` is 20 s unless configured.
const WORK_WITHIN: Duration = Duration::from_secs(50);

/// All that is to be done.
///
/// # Errors
/// If it cannot be found out.
pub(super) fn steps(context: &Context, args: &Args) -> Result<Vec<Step>, Failure> {
    if args.global {
        let failure = Failure::usage("setup for all users is there on Linux alone");
        return Err(failure.with_hint("Without --global it is for you alone."));
    }
    let files = Files::of_the_user(context)?;
    if args.remove {
        return removal(context, &files);
    }
    let mut steps = config::steps(args, &files, false)?;
    let path = agent_file()?;
    let text = agent::text()?;
    let is_loaded = Agent::ours().told().is_some();
    let modes = (0o644, files.modes.1);
    let (step, changed) = match look(&path)? {
        Found::Foreign => (Step::Keep(path.clone(), "changed by hand"), false),
        Found::Ours(present) if present == text => (Step::Keep(path.clone(), "up to date"), false),
        found => {
            let before = if let Found::Ours(before) = found { Some(before) } else { None };
            (Step::Write { path: path.clone(), text, modes, before }, true)
        }
    };
    steps.push(step);
    if is_loaded && changed {
        steps.push(Step::Work(Launchctl(vec!["bootout".to_owned(), Agent::ours().target()])));
    }
    if changed || !is_loaded {
        if !is_loaded && launch::answering(context).is_ok_and(|status| status.is_some()) {
            steps.push(Step::Say(
                "a daemon runs that launchd has not started: securid-ctl stop, then securid-ctl start, has launchd \
                 run it"
                    .to_owned(),
            ));
        }
        let agent = Agent::ours();
        let path = path.display().to_string();
        let words = vec!["bootstrap".to_owned(), agent.domain().to_owned(), path];
        steps.push(Step::Work(Launchctl(words)));
    }
    Ok(steps)
}

fn removal(context: &Context, files: &Files) -> Result<Vec<Step>, Failure> {
    let mut steps = vec![Step::Drain];
    if Agent::ours().told().is_some() {
        steps.push(Step::Work(Launchctl(vec!["bootout".to_owned(), Agent::ours().target()])));
    }
    let path = agent_file()?;
    match look(&path)? {
        Found::Ours(_) => steps.push(Step::Remove(path)),
        Found::Foreign => steps.push(Step::Keep(path, "changed by hand")),
        Found::Nothing => {}
    }
    steps.extend(config::removal(context, files)?);
    Ok(steps)
}

/// Where launchd looks for agents of this user.
pub(in super::super) fn agent_file() -> Result<PathBuf, Failure> {
    let home = home_dir().filter(|home| home.is_absolute()).ok_or_else(|| {
        Failure::new("setup", "nobody says where this user's home is", FAILED)
            .with_hint("Set HOME to it.")
    })?;
    Ok(home.join("Library/LaunchAgents").join(format!("{}.plist", Agent::LABEL)))
}

/// Running `launchctl` with these words.
#[derive(Debug)]
pub(super) struct Launchctl(Vec<String>);

impl Launchctl {
    /// # Errors
    /// In launchd's own words.
    pub(super) fn carry_out(&self, _: &Context) -> Result<(), Failure> {
        let words: Vec<_> = self.0.iter().map(|word| &**word).collect();
        launchctl(&words, WORK_WITHIN).map(drop)
    }

    /// Its kind, and its words before and after.
    pub(super) fn words(&self) -> (&'static str, [&'static str; 2]) {
        ("launchctl", ["would run", "ran"])
    }

    pub(super) fn about(&self) -> String {
        format!("launchctl {}", self.0.join(" "))
    }
}

pub(super) use Launchctl as Work;
