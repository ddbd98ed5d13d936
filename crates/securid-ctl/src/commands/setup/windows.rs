//! What is run at log-on: a value in the user's part of the registry.
//!
//! The value needs no administrator, who has to allow a task of the Task Scheduler that is run at log-on; a person sees it
//! among the apps that start with Windows, and can switch it off there, which setup leaves so. The daemon is not run by
//! itself, for a program of the console that is run at log-on keeps a window open: `securid-ctl start` starts it without
//! one, and is not long there.

mod log_on;

use super::{Args, config, files::Files, step::Step};
use crate::{
    Context, daemon,
    ending::{PENDING, Running, left_over},
    failure::Failure,
    launch,
    launch::Way,
};
use log_on::{Standing, is_switched_off, standing};

/// What the command is for.
pub(super) const ABOUT: &str = "Have the daemon run from your log-on on, and write a first config";

/// The same at length.
pub(super) const LONG_ABOUT: &str = "\
Have the daemon run from your log-on on, and write a first config

What you have changed, or written yourself, is never written over. Twice is the same as once, and once more \
with another URL corrects the first config.";

/// Below the options, and in the manual page.
pub(super) const EXAMPLES: &str = "\
Examples:
  securid-ctl setup --url https://gl.example.com:8443/aveksa --instance prod --username ann
      writes a first config, and has the daemon run from your log-on on
  securid-ctl setup --print
      shows what would be done";

/// Who knows nothing of flags and variables of ours.
pub(super) const MANAGER: &str = "what runs at log-on";

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
    let wanted = log_on::command()?;
    match standing(&wanted)? {
        Standing::UpToDate => steps.push(Step::Say(format!("kept {} (up to date)", log_on::PLACE))),
        Standing::ByHand(_) => {
            steps.push(Step::Say(format!("kept {} (changed by hand)", log_on::PLACE)));
        }
        Standing::Missing | Standing::Older(_) => steps.push(Step::Work(Work::Set(wanted))),
    }
    // That outlives the value itself.
    if is_switched_off() {
        steps.push(Step::Say(
            "it is switched off among the apps that start with Windows: the Task Manager switches it on".to_owned(),
        ));
    }
    match launch::answering(context) {
        Ok(Some(_)) => steps.push(Step::Say(
            "the daemon runs already; securid-ctl restart has it run as the config now says"
                .to_owned(),
        )),
        Ok(None) => steps.push(Step::Work(Work::Start)),
        // With a bad config one may only tell so.
        Err(failure) => return Err(failure),
    }
    Ok(steps)
}

fn removal(context: &Context, files: &Files) -> Result<Vec<Step>, Failure> {
    let mut steps = vec![Step::Drain];
    // It would go on without a config, and its program could not be taken away. (With a bad one it says nothing here, and
    // ends by itself once everything is revoked.)
    if matches!(launch::answering(context), Ok(Some(_))) {
        steps.push(Step::Work(Work::Stop));
    }
    match standing("")? {
        Standing::Missing => {}
        Standing::ByHand(_) => {
            steps.push(Step::Say(format!("kept {} (changed by hand)", log_on::PLACE)));
        }
        Standing::UpToDate | Standing::Older(_) => steps.push(Step::Work(Work::Remove)),
    }
    steps.extend(config::removal(context, files)?);
    Ok(steps)
}

/// How what is run at log-on stands, for whoever looks, and whether a person has switched it off.
///
/// # Errors
/// If it cannot be looked at.
pub(in super::super) fn look() -> Result<(&'static str, Standing, bool), Failure> {
    Ok((log_on::PLACE, standing(&log_on::command()?)?, is_switched_off()))
}

pub(in super::super) use log_on::Standing as AtLogOn;

/// Having the daemon run.
#[derive(Debug)]
pub(super) enum Work {
    /// This command is run at log-on.
    Set(String),
    /// None is any more.
    Remove,
    /// It runs now.
    Start,
    /// It does not run any more.
    Stop,
}

impl Work {
    /// # Errors
    /// The system's; the daemon's own words.
    pub(super) fn carry_out(&self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Set(command) => log_on::set(command),
            Self::Remove => log_on::remove(),
            Self::Start => Way::choose(context)?.launch(context).map(drop),
            Self::Stop => stop(context),
        }
    }

    /// Its kind, and its words before and after.
    pub(super) fn words(&self) -> (&'static str, [&'static str; 2]) {
        match self {
            Self::Set(_) => ("log-on", ["would have run at log-on", "have run at log-on"]),
            Self::Remove => ("log-on", ["would remove", "removed"]),
            Self::Start => ("start", ["would start", "started"]),
            Self::Stop => ("stop", ["would stop", "stopped"]),
        }
    }

    pub(super) fn about(&self) -> String {
        match self {
            Self::Set(command) => format!("{command} ({})", log_on::PLACE),
            Self::Remove => log_on::PLACE.to_owned(),
            Self::Start | Self::Stop => "the daemon".to_owned(),
        }
    }
}

/// Ends the daemon. What was taken in since the drain is revoked as well; as long as it is not, nothing else may go.
fn stop(context: &Context) -> Result<(), Failure> {
    let running = match Running::find(context) {
        Ok(running) => running?,
        Err(error) if daemon::is_nobody(&error) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let before = running.sessions.clone();
    running.end(Some(false))?;
    match left_over(context, &before) {
        0 => Ok(()),
        left => {
            let what = format!("the daemon has ended with unconfirmed sessions: {left}");
            let failure = Failure::new("pending", format!("{what}\nnothing was removed"), PENDING);
            Err(failure.with_hint("securid-ctl start has it go on with them; then run this again."))
        }
    }
}
