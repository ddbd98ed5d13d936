//! `setup`: have systemd run the daemon, and write a first config.
//!
//! - `place`: where units and config belong, for one user or for all;
//! - `units`, `state_folder`, `config`, `removal`: what is to be done, as steps; nothing is changed while
//!   they are found;
//! - `step`: carrying one out, or showing it; `signed`: telling our files from a person's.

mod config;
pub(in crate::commands) mod place;
mod removal;
mod signed;
mod state_folder;
mod step;
pub(in crate::commands) mod units;

use std::path::PathBuf;

use serde::Serialize;

use crate::{Context, failure::Failure, interrupt::Interrupt};
use place::Place;
use step::{Shown, Step};

/// Below the options, and in the manual page.
const EXAMPLES: &str = "\
Examples:
  securid-ctl setup --url https://gl.example.com:8443/aveksa --instance prod --username ann
      writes a first config, and has systemd run the daemon
  securid-ctl setup --print
      shows what would be done";

/// Have systemd run the daemon for you, and write a first config
///
/// Units that a package has installed are enabled; where there are none, they are written first. What
/// you have changed, or written yourself, is never written over. Twice is the same as once, and once more
/// with another URL corrects the first config.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Args {
    /// Write a first config for this server, as https://HOST:8443/aveksa
    #[arg(long, conflicts_with = "remove")]
    url: Option<String>,
    /// What the server is to be called
    #[arg(long, value_name = "NAME", requires = "url", default_value = "default")]
    instance: String,
    /// Who logs in there
    #[arg(long, value_name = "U", requires = "url")]
    username: Option<String>,
    /// Its CA's certificate (PEM), besides the system's
    #[arg(long, value_name = "FILE", requires = "url")]
    ca_file: Option<PathBuf>,
    /// Show what would be done, and do nothing
    #[arg(long)]
    print: bool,
    /// Undo it: revoke everything, then disable and remove what setup wrote
    ///
    /// While anything is not confirmed dead, nothing is removed (exit status 75).
    #[arg(long)]
    remove: bool,
    /// For all users of this machine, as root; daemons that run are left alone
    #[arg(long)]
    global: bool,
}

/// As `--json` shows it.
#[derive(Serialize)]
struct Report {
    /// Whether it was done, or only shown.
    done: bool,
    steps: Vec<Shown>,
}

impl Args {
    /// Of a setup that only has a look.
    pub(in crate::commands) fn of_a_look() -> Self {
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

    pub(crate) fn run(self, context: &Context) -> Result<u8, Failure> {
        let _interrupt = Interrupt::arm()?;
        if context.is_elsewhere() {
            return Err(Failure::usage("setup is about the usual places alone").with_hint(
                "Leave out --config, --socket and --state-dir, and unset SECURID_CONFIG, \
                 SECURID_SOCKET and SECURID_STATE_DIR: systemd knows nothing of them.",
            ));
        }
        let place = Place::find(context, &self)?;
        let steps = match self.remove {
            true => removal::steps(context, &place)?,
            false => {
                let mut steps = config::steps(&self, &place)?;
                steps.extend(units::steps(context, &place)?);
                steps
            }
        };
        let mut report = Report { done: !self.print, steps: Vec::new() };
        // Whoever reads only the first lines has it done all the same.
        let mut told = Ok(());
        for step in &steps {
            let shown = if self.print { step.preview() } else { carry_out(step, &steps, context)? };
            if !context.screen.json {
                told = told.and(context.screen.text(&shown.line()));
            }
            report.steps.push(shown);
        }
        if context.screen.json {
            context.screen.json(&report)?;
        }
        told?;
        Ok(0)
    }
}

/// A config of ours that turns out to be bad is taken back, with its key.
fn carry_out(step: &Step, all: &[Step], context: &Context) -> Result<Shown, Failure> {
    step.carry_out(context).map_err(|failure| {
        if !matches!(step, Step::Check) {
            return failure;
        }
        let before = all.iter().take_while(|other| !matches!(other, Step::Check));
        match before.filter(|step| step.undo()).count() {
            0 => failure.with_hint("Mend it, and run this again."),
            _ => failure.with_hint("The config was taken back: run this again with other words."),
        }
    })
}
