//! `securid-ctl`, the thin command line of `securid-sessiond`.
//!
//! A command is one call to the daemon and a page of text; nothing here knows keyrings or the
//! remote server. What differs from system to system stands in files that are named for them. A map:
//!
//! - `args`: the command line; `commands`: one file for each command;
//! - `completion`: what a shell is told that completes a command line;
//! - `daemon`: a connection whose every wait has a limit; `launch` and `ending`: bringing it up and
//!   down; `manager`: what of the system does it where there is something; `program`: running others,
//!   each wait with a limit; `process`: those that run, by their number;
//! - `failure`: what goes wrong, with exit status and advice;
//! - `screen`, `table`, `times`: what a person sees; `page`: what is drawn again and again;
//! - `secrets`: reading a password or a token; `terminal`, `askpass`: asking a person for one; `credentials`: who
//!   logs in with it; `interrupt`: Ctrl-C is 130, and a terminal is put back before a signal counts;
//! - `words`: what help and advice call the things of each system; `manual`: the manual pages, made by a test;
//! - `progress`: how far revocations have come, on a terminal; `waiting`: what else is waited for;
//! - `records`: whether anything is recorded, for when no daemon can be asked.

mod args;
mod askpass;
mod commands;
mod completion;
mod credentials;
mod daemon;
mod ending;
mod failure;
mod interrupt;
mod launch;
mod manager;
// The pages are those of Linux.
#[cfg(all(test, target_os = "linux"))]
mod manual;
mod page;
mod process;
mod program;
mod progress;
mod records;
mod screen;
mod secrets;
mod table;
mod terminal;
mod times;
mod waiting;
mod words;

use std::{env, path::PathBuf, process::ExitCode};

use clap::error::ErrorKind;
use securid_ipc::{
    misuse::Misuse,
    panics::tell_on_stderr,
    paths::{Overrides, Paths},
};

use args::{Cli, Common};
use failure::Failure;
use screen::Screen;

/// What every command has at hand.
struct Context {
    paths: Paths,
    /// What flags or variables say about where things are, as whole paths.
    named: Overrides,
    screen: Screen,
}

impl Context {
    /// Whether anything is elsewhere than a daemon without flags looks for it.
    fn is_elsewhere(&self) -> bool {
        self.named != Overrides::default()
    }
}

/// Says what a panic has to say, on a terminal that is as it was before.
pub fn tell_of_a_panic(words: &str) {
    page::put_back();
    tell_on_stderr(words);
}

/// Runs the command of this process's arguments.
#[must_use]
pub fn run() -> ExitCode {
    let line: Vec<_> = env::args_os().collect();
    let cli = match Cli::read(&line) {
        Ok(cli) => cli,
        Err(error) => return usage(error),
    };
    let json = cli.common.json;
    match prepare(&cli.common).and_then(|context| cli.command.run(&context)) {
        Ok(status) => status.into(),
        Err(failure) => failure.report(json),
    }
}

fn prepare(common: &Common) -> Result<Context, Failure> {
    let paths = Paths::from_environment(&common.overrides())
        .map_err(|error| Failure::new("no-home", error.to_string(), 78))?;
    Ok(Context { paths, named: named(common.overrides())?, screen: Screen::new(common.json) })
}

/// For programs that are started elsewhere than here.
fn named(flags: Overrides) -> Result<Overrides, Failure> {
    let whole = |flag: Option<PathBuf>, name: &str| {
        let said = flag.or_else(|| env::var_os(name).filter(|it| !it.is_empty()).map(Into::into));
        let absolute = said.map(std::path::absolute).transpose();
        absolute.map_err(|error| {
            let message =
                format!("cannot tell which folder {name} or its flag is relative to: {error}");
            Failure::usage(message).with_hint(words::NAME_IT_WHOLE)
        })
    };
    Ok(Overrides {
        socket: whole(flags.socket, "SECURID_SOCKET")?,
        state_dir: whole(flags.state_dir, "SECURID_STATE_DIR")?,
        config: whole(flags.config, "SECURID_CONFIG")?,
    })
}

/// A command line that was not understood, or one that asks for help.
fn usage(error: clap::Error) -> ExitCode {
    if error.exit_code() == 0 || error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    {
        // Nothing can be said if even that cannot be printed.
        let _ = error.print();
        return if error.use_stderr() { ExitCode::from(failure::USAGE) } else { ExitCode::SUCCESS };
    }
    let wants_json = env::args_os().take_while(|arg| arg != "--").any(|arg| arg == "--json");
    let Misuse { message, advice } = Misuse::of(error);
    Failure::usage(message).with_hint(advice).report(wants_json)
}
