//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use securid_ipc::paths::Overrides;

use crate::{Context, commands, failure::Failure};

/// What every command shares, below the list of them.
const AFTER: &str = "\
SELECTOR is a session's id or the unique start of one (4 digits or more), an instance's name, or
username@instance. Where a command is about one session and none is named, it is that of
$SECURID_SESSION, else the newest active one of the default instance.

Exit status: 0 done; 1 failed; 2 usage, ambiguous; 66 no such session; 68 server unreachable;
69 daemon unreachable; 70 an error of its own; 74 keyring or disk; 75 not confirmed yet, the daemon
keeps trying; 76 wrong protocol version, or not your daemon; 77 login refused; 78 bad config; 130 interrupted.
exec: its command's own, or 125 if it could not begin, 126 and 127 as in a shell.";

/// Uses and revokes the session tokens that securid-sessiond holds.
#[derive(Debug, Parser)]
#[command(name = "securid-ctl", version, after_help = AFTER)]
pub(crate) struct Cli {
    /// Print JSON, errors included
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// The daemon's socket [else $SECURID_SOCKET]
    #[arg(long, global = true, value_name = "PATH")]
    socket: Option<PathBuf>,

    /// The folder of the daemon's records [else $SECURID_STATE_DIR]
    #[arg(long, global = true, value_name = "FOLDER")]
    state_dir: Option<PathBuf>,

    /// The config file, alone [else $SECURID_CONFIG]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,

    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Cli {
    /// Where flags say that things are.
    pub(crate) fn overrides(&self) -> Overrides {
        Overrides {
            socket: self.socket.clone(),
            state_dir: self.state_dir.clone(),
            config: self.config.clone(),
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Login(commands::login::Args),
    Add(commands::add::Args),
    List(commands::list::Args),
    Status(commands::status::Args),
    History(commands::history::Args),
    Check(commands::check::Args),
    Token(commands::token::Args),
    Exec(commands::exec::Args),
    Logout(commands::logout::Args),
    Reload(commands::reload::Args),
    Retry(commands::retry::Args),
    Forget(commands::forget::Args),
    Start(commands::start::Args),
    Restart(commands::restart::Args),
    Stop(commands::stop::Args),
    Setup(commands::setup::Args),
    Config(commands::config::Args),
    Doctor(commands::doctor::Args),
    Paths(commands::paths::Args),
}

impl Command {
    /// Carries the command out; what it returns is the exit status.
    pub(crate) fn run(self, context: &Context) -> Result<u8, Failure> {
        match self {
            Self::Login(args) => args.run(context),
            Self::Add(args) => args.run(context),
            Self::List(args) => args.run(context),
            Self::Status(args) => args.run(context),
            Self::History(args) => args.run(context),
            Self::Check(args) => args.run(context),
            Self::Token(args) => args.run(context),
            Self::Exec(args) => args.run(context),
            Self::Logout(args) => args.run(context),
            Self::Reload(args) => args.run(context),
            Self::Retry(args) => args.run(context),
            Self::Forget(args) => args.run(context),
            Self::Start(args) => args.run(context),
            Self::Restart(args) => args.run(context),
            Self::Stop(args) => args.run(context),
            Self::Setup(args) => args.run(context),
            Self::Config(args) => args.run(context),
            Self::Doctor(args) => args.run(context),
            Self::Paths(args) => args.run(context),
        }
    }
}
