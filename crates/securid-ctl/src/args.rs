//! The command line.

use std::{ffi::OsString, mem::ManuallyDrop, path::PathBuf};

use clap::{
    ArgMatches, Args as _, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueHint,
};
use securid_ipc::paths::Overrides;

use crate::{
    Context, commands,
    failure::Failure,
    words::{FILES, SCRIPT, SET_UP, SOCKET},
};

/// What every command shares, below the list of them.
const AFTER: &str = "\
SELECTOR is a session's id or the unique start of one (4 digits or more), an instance's name, or
username@instance. securid-ctl --help tells exit statuses, variables, files and examples.";

/// The same in full, for `--help` and the manual page.
fn after_all() -> String {
    format!(
        "\
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
{FILES}
  securid-ctl paths shows those that count for you.

Examples:
  securid-ctl setup --url https://gl.example.com:8443/aveksa --username ann
      writes a first config, and {SET_UP}
  securid-ctl login
      asks for the password, and logs in
  securid-ctl exec -- {SCRIPT}
      runs it with the session's token in SECURID_TOKEN
  securid-ctl list
      shows the sessions, and when each will end
  securid-ctl logout
      revokes them all, and waits for the server's word"
    )
}

/// The heading of what every command takes.
const COMMON: &str = "Common options";

/// Logs in to RSA Governance & Lifecycle, and uses and revokes the session tokens that securid-sessiond holds
#[derive(Debug, Parser)]
#[command(name = "securid-ctl", version, after_help = AFTER, after_long_help = after_all())]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) common: Common,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Debug, clap::Args)]
pub(crate) struct Common {
    /// Print JSON, errors included
    #[arg(long, global = true, help_heading = COMMON)]
    pub(crate) json: bool,

    // What it is, each system says.
    #[arg(long, global = true, help_heading = COMMON, value_name = SOCKET[0], help = SOCKET[1])]
    socket: Option<PathBuf>,

    /// The folder of the daemon's records [else $SECURID_STATE_DIR]
    #[arg(long, global = true, help_heading = COMMON, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    state_dir: Option<PathBuf>,

    /// The config file, alone [else $SECURID_CONFIG]
    #[arg(long, global = true, help_heading = COMMON, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Common {
    /// Where flags say that things are.
    pub(crate) fn overrides(&self) -> Overrides {
        Overrides {
            socket: self.socket.clone(),
            state_dir: self.state_dir.clone(),
            config: self.config.clone(),
        }
    }
}

impl Cli {
    /// Reads a command line, the program's name first.
    ///
    /// To describe every command to clap would be half of what a short command does. So one that is named is
    /// described alone, and all of them only where that does not do: for help, and for what is wrong.
    ///
    /// # Errors
    /// As clap has it; also where help is asked for.
    pub(crate) fn read(line: &[OsString]) -> Result<Self, clap::Error> {
        let named = line.iter().skip(1).find_map(|word| Described::of(word.to_str()?));
        if let Some(named) = named
            && let Some(cli) = named.read(line)
        {
            return Ok(cli);
        }
        let mut matches = read(Self::command(), line)?;
        Self::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut Self::command()))
    }
}

/// It is not taken down afterwards: that would take as long again, for memory that is gone with the process soon.
fn read(command: clap::Command, line: &[OsString]) -> Result<ArgMatches, clap::Error> {
    ManuallyDrop::new(command).try_get_matches_from_mut(line)
}

/// One command, without the others.
struct Described {
    name: &'static str,
    describe: fn(clap::Command) -> clap::Command,
    understand: fn(&mut ArgMatches) -> Result<Command, clap::Error>,
}

impl Described {
    /// The command line of this command alone. What it takes, the whole one takes too, and means the same by it.
    fn alone(&self) -> clap::Command {
        let command = clap::Command::new("securid-ctl").subcommand_required(true);
        let command = Common::augment_args(command);
        command.subcommand((self.describe)(clap::Command::new(self.name)))
    }

    fn read(&self, line: &[OsString]) -> Option<Cli> {
        let mut matches = read(self.alone(), line).ok()?;
        let (_, mut own) = matches.remove_subcommand()?;
        let common = Common::from_arg_matches_mut(&mut matches).ok()?;
        Some(Cli { common, command: (self.understand)(&mut own).ok()? })
    }
}

/// The commands in the order of the help, each with its arguments, which carry it out.
macro_rules! commands {
    ($($command:ident($name:literal, $module:ident $(, $attribute:ident = $value:literal)?),)+) => {
        #[derive(Debug, Subcommand)]
        pub(crate) enum Command {
            $(#[command(name = $name $(, $attribute = $value)?)] $command(commands::$module::Args),)+
        }

        impl Command {
            /// Carries the command out; what it returns is the exit status.
            pub(crate) fn run(self, context: &Context) -> Result<u8, Failure> {
                match self {
                    $(Self::$command(args) => args.run(context),)+
                }
            }
        }

        impl Described {
            /// The command of this name.
            fn of(name: &str) -> Option<Self> {
                Some(match name {
                    $($name => Self {
                        name: $name,
                        describe: commands::$module::Args::augment_args,
                        understand: |own| {
                            commands::$module::Args::from_arg_matches_mut(own).map(Command::$command)
                        },
                    },)+
                    _ => return None,
                })
            }
        }
    };
}

commands! {
    Login("login", login),
    Add("add", add),
    List("list", list),
    Watch("watch", watch),
    Status("status", status),
    History("history", history),
    Check("check", check),
    Token("token", token),
    Exec("exec", exec),
    Call("call", call),
    Logout("logout", logout),
    Reload("reload", reload),
    Retry("retry", retry),
    Forget("forget", forget),
    Start("start", start),
    Restart("restart", restart),
    Stop("stop", stop),
    Setup("setup", setup),
    Config("config", config),
    Doctor("doctor", doctor),
    Paths("paths", paths),
    Completions("completions", completions),
    Complete("__complete", complete, hide = true),
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_command_by_itself_is_what_it_is_among_the_others() {
        // Apart from its place in the list, and whether it is listed.
        let definition = |mut whole: clap::Command, name: &str| {
            whole.build();
            let command = whole.find_subcommand(name).unwrap().clone();
            format!("{:#?}", command.display_order(0).hide(false))
        };
        for command in Cli::command().get_subcommands() {
            let name = command.get_name();
            let alone = Described::of(name).unwrap().alone();
            assert_eq!(definition(alone, name), definition(Cli::command(), name));
        }
    }

    #[test]
    fn a_line_means_the_same_by_itself() {
        for line in [
            "list",
            "--json list",
            "list --json --socket list",
            "--socket list token",
            "token prod --for 1h",
            "exec prod -- list --json",
            "config show --config c.toml",
            "history --since 2026-11-01T00:00:00Z --csv",
        ] {
            let line: Vec<_> = ["securid-ctl"].into_iter().chain(line.split(' ')).collect();
            let words: Vec<_> = line.iter().map(OsString::from).collect();
            let whole = Cli::try_parse_from(&line).unwrap();
            assert_eq!(format!("{:?}", Cli::read(&words).unwrap()), format!("{whole:?}"));
        }
    }
}
