//! Units of systemd.
//!
//! - `place`: where they belong, for one user or for all;
//! - `units`, `state_folder`, `secrets`, `removal`: what is to be done.

pub(in super::super) mod place;
mod removal;
mod secrets;
mod state_folder;
pub(in super::super) mod units;

use std::time::Duration;

use super::{Args, config, step::Step};
use crate::{Context, failure::Failure, manager::systemd};
use place::Place;

/// What the command is for.
pub(super) const ABOUT: &str = "Have systemd run the daemon for you, and write a first config";

/// The same at length.
pub(super) const LONG_ABOUT: &str = "\
Have systemd run the daemon for you, and write a first config

Units that a package has installed are enabled; where there are none, they are written first. What \
you have changed, or written yourself, is never written over. Twice is the same as once, and once more \
with another URL corrects the first config.";

/// Below the options, and in the manual page.
pub(super) const EXAMPLES: &str = "\
Examples:
  securid-ctl setup --url https://gl.example.com:8443/aveksa --instance prod --username ann
      writes a first config, and has systemd run the daemon
  securid-ctl setup --print
      shows what would be done";

/// Who knows nothing of flags and variables of ours.
pub(super) const MANAGER: &str = "systemd";

/// For what starts or stops a service: the daemon's `shutdown_grace` is 20 s unless configured.
const SERVICE_WITHIN: Duration = Duration::from_secs(40);

/// All that is to be done.
///
/// # Errors
/// If it cannot be found out.
pub(super) fn steps(context: &Context, args: &Args) -> Result<Vec<Step>, Failure> {
    let place = Place::find(context, args)?;
    if args.remove {
        return removal::steps(context, &place);
    }
    let mut steps = config::steps(args, &place.files, secrets::need_a_key(&place)?)?;
    steps.extend(units::steps(context, &place)?);
    Ok(steps)
}

impl Args {
    /// Of a setup that only has a look.
    pub(in super::super) fn of_a_look() -> Self {
        Self {
            url: None,
            instance: String::new(),
            username: None,
            ca_file: None,
            print: true,
            remove: false,
            global: false,
        }
    }
}

/// Running `systemctl` with these words.
#[derive(Debug)]
pub(super) struct Systemctl(systemd::Scope, Vec<&'static str>);

impl Systemctl {
    fn step(scope: systemd::Scope, words: Vec<&'static str>) -> Step {
        Step::Work(Self(scope, words))
    }

    /// # Errors
    /// In systemd's own words.
    pub(super) fn carry_out(&self, _: &Context) -> Result<(), Failure> {
        let Self(scope, words) = self;
        let run = || scope.systemctl(words, SERVICE_WITHIN).map(drop);
        match (words.first(), scope) {
            // A start that is under way is joined, and may fail for what was so before us.
            (Some(&"start"), systemd::Scope::User(manager)) => {
                run().or_else(|_| run()).map_err(|failure| failure.with_hint(manager.advice()))
            }
            _ => run(),
        }
    }

    /// Its kind, and its words before and after.
    pub(super) fn words(&self) -> (&'static str, [&'static str; 2]) {
        ("systemctl", ["would run", "ran"])
    }

    pub(super) fn about(&self) -> String {
        format!("systemctl {} {}", self.0.flag(), self.1.join(" "))
    }
}

pub(super) use Systemctl as Work;
