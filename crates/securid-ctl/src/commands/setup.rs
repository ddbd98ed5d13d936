//! `setup`: have the system run the daemon, and write a first config.
//!
//! - `files`: where configs belong; `config`: what becomes of them, and for each system in a file of its own what has
//!   the daemon run: all as steps; nothing is changed while they are found;
//! - `step`: carrying one out, or showing it; `signed`: telling our files from a person's.

mod config;
mod files;
#[cfg(target_os = "linux")]
pub(in crate::commands) mod linux;
#[cfg(target_os = "macos")]
pub(in crate::commands) mod macos;
mod signed;
mod step;
#[cfg(windows)]
pub(in crate::commands) mod windows;

#[cfg(target_os = "linux")]
use linux as system;
#[cfg(target_os = "macos")]
use macos as system;
#[cfg(windows)]
use windows as system;

use std::path::PathBuf;

use serde::Serialize;

use crate::{Context, failure::Failure, interrupt::Interrupt, words::FOR_ALL};
use step::{Shown, Step};
use system::{ABOUT, EXAMPLES, LONG_ABOUT, MANAGER, Work};

/// Have the system run the daemon, and write a first config
#[derive(Debug, clap::Args)]
#[command(about = ABOUT, long_about = LONG_ABOUT, after_long_help = EXAMPLES)]
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
    // Whether there is such a thing, each system says.
    #[arg(long, help = FOR_ALL)]
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
    pub(crate) fn run(self, context: &Context) -> Result<u8, Failure> {
        let _interrupt = Interrupt::arm()?;
        if context.is_elsewhere() {
            return Err(Failure::usage("setup is about the usual places alone").with_hint(
                format!(
                    "Leave out --config, --socket and --state-dir, and unset SECURID_CONFIG, \
                     SECURID_SOCKET and SECURID_STATE_DIR: {MANAGER} knows nothing of them."
                ),
            ));
        }
        let steps = system::steps(context, &self)?;
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
