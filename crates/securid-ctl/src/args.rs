//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueHint};
use securid_ipc::paths::Overrides;

use crate::{Context, commands, failure::Failure};

/// What every command shares, below the list of them.
const AFTER: &str = "\
SELECTOR is a session's id or the unique start of one (4 digits or more), an instance's name, or
username@instance. securid-ctl --help tells exit statuses, variables, files and examples.";

/// The same in full, for `--help` and the manual page.
const AFTER_ALL: &str = "\
Selectors:
  ID             a session's id, or the unique start of one (4 digits or more)
  INSTANCE       a server, by the name that the config gives it: for logout and
                 retry all sessions there, else the newest active one
  USER@INSTANCE  that user's sessions there, likewise

  Where a command is about one session and none is named, it is that of
  $SECURID_SESSION, else the newest active one of the default instance.

Exit status:
  0              done; of logout: the server says so, or nothing was to do
  1              failed
  2              usage; a selector that means several sessions
  66             no such session
  68             the server cannot be reached
  69             the daemon cannot be reached
  70             an error of its own
  74             keyring or disk
  75             not confirmed yet: the daemon keeps trying
  76             wrong protocol version, or not your daemon
  77             login refused
  78             bad config, no such instance
  125, 126, 127  exec could not begin, its command cannot run, is not found
  130            interrupted

  exec passes on the status of its command. Of several sessions the worst
  counts, in the order 1, 2, 66, 75, 0.

Environment:
  SECURID_SESSION    the session that is meant where none is named
  SECURID_CONFIG     as --config
  SECURID_SOCKET     as --socket
  SECURID_STATE_DIR  as --state-dir
  NO_COLOR           if not empty: no colours
  SECURID_TOKEN, SECURID_URL, SECURID_INSTANCE, SECURID_EXPIRES_AT
      are set by exec for its command, and so is SECURID_SESSION

Files:
  ~/.config/securid/config.toml
      your config, over the machine's /etc/securid/config.toml and
      /etc/securid/config.d/*.toml
  $XDG_RUNTIME_DIR/securid/sessiond.sock
      the daemon's socket; /run/securid/UID/sessiond.sock of a system unit
  ~/.local/state/securid
      records and history; /var/lib/securid/UID of a system unit

  securid-ctl paths shows those that count for you.

Examples:
  securid-ctl setup --url https://gl.example.com:8443/aveksa --username ann
      writes a first config, and has systemd run the daemon
  securid-ctl login
      asks for the password, and logs in
  securid-ctl exec -- ./report.sh
      runs it with the session's token in SECURID_TOKEN
  securid-ctl list
      shows the sessions, and when each will end
  securid-ctl logout
      revokes them all, and waits for the server's word";

/// The heading of what every command takes.
const COMMON: &str = "Common options";

/// Logs in to RSA Governance & Lifecycle, and uses and revokes the session tokens that securid-sessiond holds
#[derive(Debug, Parser)]
#[command(name = "securid-ctl", version, after_help = AFTER, after_long_help = AFTER_ALL)]
pub(crate) struct Cli {
    /// Print JSON, errors included
    #[arg(long, global = true, help_heading = COMMON)]
    pub(crate) json: bool,

    /// The daemon's socket [else $SECURID_SOCKET]
    #[arg(long, global = true, help_heading = COMMON, value_name = "PATH")]
    socket: Option<PathBuf>,

    /// The folder of the daemon's records [else $SECURID_STATE_DIR]
    #[arg(long, global = true, help_heading = COMMON, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    state_dir: Option<PathBuf>,

    /// The config file, alone [else $SECURID_CONFIG]
    #[arg(long, global = true, help_heading = COMMON, value_name = "FILE")]
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
    Watch(commands::watch::Args),
    Status(commands::status::Args),
    History(commands::history::Args),
    Check(commands::check::Args),
    Token(commands::token::Args),
    Exec(commands::exec::Args),
    Call(commands::call::Args),
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
    Completions(commands::completions::Args),
    #[command(name = "__complete", hide = true)]
    Complete(commands::complete::Args),
}

impl Command {
    /// Carries the command out; what it returns is the exit status.
    pub(crate) fn run(self, context: &Context) -> Result<u8, Failure> {
        match self {
            Self::Login(args) => args.run(context),
            Self::Add(args) => args.run(context),
            Self::List(args) => args.run(context),
            Self::Watch(args) => args.run(context),
            Self::Status(args) => args.run(context),
            Self::History(args) => args.run(context),
            Self::Check(args) => args.run(context),
            Self::Token(args) => args.run(context),
            Self::Exec(args) => args.run(context),
            Self::Call(args) => args.run(context),
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
            Self::Completions(args) => args.run(context),
            Self::Complete(args) => args.run(context),
        }
    }
}
