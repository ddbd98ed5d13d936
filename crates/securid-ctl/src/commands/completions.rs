//! `completions`: the script by which a shell completes commands, sessions and instances.

use crate::{Context, failure::Failure, words::COMPLETIONS};

/// Print the script by which a shell completes commands, sessions and instances
///
/// Sessions and instances are those of the daemon, which is asked as by list: that counts as no use, and takes a
/// third of a second at most. Without a daemon there are none.
#[derive(Debug, clap::Args)]
#[command(after_long_help = COMPLETIONS)]
pub(crate) struct Args {
    /// Which shell
    #[arg(value_enum)]
    shell: Shell,
}

/// A shell that can complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Shell {
    Bash,
    Zsh,
    Fish,
    #[value(name = "powershell", alias = "pwsh")]
    Pwsh,
}

impl Args {
    pub(crate) fn run(self, context: &Context) -> Result<u8, Failure> {
        let script = match self.shell {
            Shell::Bash => include_str!("../../completions/securid-ctl.bash"),
            Shell::Zsh => include_str!("../../completions/_securid-ctl"),
            Shell::Fish => include_str!("../../completions/securid-ctl.fish"),
            Shell::Pwsh => include_str!("../../completions/securid-ctl.ps1"),
        };
        context.screen.text(script)?;
        Ok(0)
    }
}
