//! `config`: what the config says, and where it says it.

use clap::Subcommand;
use securid_ipc::config_view::{ConfigKeyView, ConfigView};

use crate::{Context, failure::Failure, launch, screen::Tone, table::Table, words::SHOW_CONFIG};

/// Look at the config
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show each key of the config: its value, where that stands, and whether it is enforced
    #[command(long_about = SHOW_CONFIG)]
    Show,
}

impl Args {
    pub(crate) fn run(self, context: &Context) -> Result<u8, Failure> {
        match self.command {
            Command::Show => show(context),
        }
    }
}

fn show(context: &Context) -> Result<u8, Failure> {
    let view = launch::show_config(context)?;
    context.screen.show(&view, |view| table(view, context))?;
    for warning in &view.warnings {
        context.screen.warn(warning);
    }
    Ok(0)
}

fn table(view: &ConfigView, context: &Context) -> String {
    let mut table = Table::new(["KEY", "VALUE", "FROM"]);
    for row in &view.keys {
        let value = row.value.as_deref().unwrap_or("-");
        let tone = if row.enforced { Tone::Pending } else { Tone::Plain };
        table.row([(&row.key, Tone::Plain), (value, Tone::Plain), (&from(row), tone)]);
    }
    table.render(&context.screen)
}

fn from(row: &ConfigKeyView) -> String {
    match (row.enforced, &row.instead_of) {
        (false, _) => row.from.clone(),
        (true, None) => format!("{}, enforced", row.from),
        (true, Some(other)) => {
            format!("{}, enforced; not {} of {}", row.from, other.value, other.from)
        }
    }
}
