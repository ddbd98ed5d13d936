//! Those of Windows.

/// What `--socket` takes, and what that is.
pub(crate) const SOCKET: [&str; 2] =
    ["PIPE", r"The daemon's pipe, as \\.\pipe\NAME [else $SECURID_SOCKET]"];

/// How a path is named that is a whole one.
pub(crate) const NAME_IT_WHOLE: &str = r"Name it from its drive on, as C:\Users\…";

/// Where things are.
pub(crate) const FILES: &str = r"  %APPDATA%\securid\config.toml
      your config, over the machine's %ProgramData%\securid\config.toml and
      %ProgramData%\securid\config.d\*.toml
  \\.\pipe\securid-sessiond-SID
      the daemon's pipe, named after you
  %LOCALAPPDATA%\securid\state
      records, history and log
";

/// What `setup` does besides the config.
pub(crate) const SET_UP: &str = "has the daemon run from your log-on on";

/// A script, as a shell is told to run it.
pub(crate) const SCRIPT: &str = r".\report.cmd";

/// A file for `--password-file`.
pub(crate) const PASSWORD_IN: &str = r"C:\Users\ann\prod-password.txt";

/// Of `--password-file`.
pub(crate) const PASSWORD_FILE: &str =
    "Read the password from a file that nobody else may read [else asked on the console]";

/// What a log-off runs.
pub(crate) const AT_LOG_OFF: &str = "a log-off script";

/// Of `--if-last-session`.
pub(crate) const IF_LAST_SESSION: &str =
    "Only if the user is not logged in a second time, here or from afar: for a log-off script";

/// Of `--all-users`.
pub(crate) const ALL_USERS: &str = "Every user's sessions: there on Linux alone";

/// Of `setup --global`.
pub(crate) const FOR_ALL: &str = "For all users of this machine: there on Linux alone";

/// What `config show` is for, at length.
pub(crate) const SHOW_CONFIG: &str = "\
Show each key of the config: its value, where that stands, and whether it is enforced

It is the config of a daemon that is started in this shell. What is started at log-on may have other variables, \
and a daemon that runs other flags.";

/// What `doctor` is for, at length.
pub(crate) const DOCTOR: &str = "\
Look at everything that sessions need, and say what is wrong and what to do about it

Config, pipe, daemon, keyring, records, disk, the way to each server, and what is run at log-on, as this shell would \
have them. It changes nothing, asks for no password, and takes half a minute at most. Exits with 0 only if all \
is fine.";

/// Below the options of `completions`.
pub(crate) const COMPLETIONS: &str = "\
Examples:
  securid-ctl completions powershell | Out-String | Invoke-Expression
      belongs into $PROFILE";

/// What to do about a program that is not found.
pub(crate) const NOT_FOUND: Option<&str> =
    Some("Name a batch file whole, with its .cmd or .bat: no other ending is tried than .exe.");

#[cfg(test)]
mod tests {
    use clap::{Command, CommandFactory as _};

    use crate::args::Cli;

    /// Words of a help that was written on Linux.
    const LINUXS: [&str; 19] = [
        "systemd",
        "launchd",
        "journal",
        "/etc",
        "/run",
        "/var",
        "/dev",
        "~/",
        "./",
        "XDG",
        "$HOME",
        "SIGTERM",
        "SIGHUP",
        "as root",
        "root only",
        "Debian",
        ".bash",
        "(5)",
        "socket",
    ];

    fn look(command: &mut Command) {
        for help in [command.render_help(), command.render_long_help()] {
            // What is called so everywhere.
            let help = help.to_string().replace("--socket", "").replace("sockets are looked", "");
            for word in LINUXS {
                assert!(!help.contains(word), "{word}: {help}");
            }
        }
        command.get_subcommands_mut().for_each(look);
    }

    #[test]
    fn no_help_has_words_of_linux() {
        let mut all = Cli::command();
        all.build();
        look(&mut all);
    }
}
