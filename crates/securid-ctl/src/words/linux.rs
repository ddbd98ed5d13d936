//! Those of Linux.

/// What `--socket` takes, and what that is.
pub(crate) const SOCKET: [&str; 2] = ["PATH", "The daemon's socket [else $SECURID_SOCKET]"];

/// How a path is named that is a whole one.
pub(crate) const NAME_IT_WHOLE: &str = "Name it from the root on, beginning with /.";

/// Where things are.
pub(crate) const FILES: &str = "  ~/.config/securid/config.toml
      your config, over the machine's /etc/securid/config.toml and
      /etc/securid/config.d/*.toml
  $XDG_RUNTIME_DIR/securid/sessiond.sock
      the daemon's socket; /run/securid/UID/sessiond.sock of a system unit
  ~/.local/state/securid
      records and history; /var/lib/securid/UID of a system unit
";

/// What `setup` does besides the config.
pub(crate) const SET_UP: &str = "has systemd run the daemon";

/// A script, as a shell is told to run it.
pub(crate) const SCRIPT: &str = "./report.sh";

/// A file for `--password-file`.
pub(crate) const PASSWORD_IN: &str = "~/.prod-password";

/// Of `--password-file`.
pub(crate) const PASSWORD_FILE: &str = "Read the password from a file that nobody else may read [else systemd's credential \
                                        securid-password, else asked on the terminal]";

/// What a log-off runs.
pub(crate) const AT_LOG_OFF: &str = "~/.bash_logout or ~/.zlogout";

/// Of `--if-last-session`.
pub(crate) const IF_LAST_SESSION: &str = "Only if the shell that runs this ends its user's last login: for ~/.bash_logout and ~/.zlogout";

/// Of `--all-users`.
pub(crate) const ALL_USERS: &str = "Every user's sessions, revoked as that user (root only)";

/// Of `setup --global`.
pub(crate) const FOR_ALL: &str =
    "For all users of this machine, as root; daemons that run are left alone";

/// What `config show` is for, at length.
pub(crate) const SHOW_CONFIG: &str = "\
Show each key of the config: its value, where that stands, and whether it is enforced

It is the config of a daemon that is started in this shell. A unit of systemd may have other variables, \
and a daemon that runs other flags.";

/// What `doctor` is for, at length.
pub(crate) const DOCTOR: &str = "\
Look at everything that sessions need, and say what is wrong and what to do about it

Config, socket, daemon, keyring, records, disk, the way to each server, and systemd's units, as this shell would \
have them. It changes nothing, asks for no password, and takes half a minute at most. Exits with 0 only if all \
is fine.";

/// Below the options of `completions`.
pub(crate) const COMPLETIONS: &str = "\
Examples:
  eval \"$(securid-ctl completions bash)\"
      belongs into ~/.bashrc
  eval \"$(securid-ctl completions zsh)\"
      belongs into ~/.zshrc, below compinit
  securid-ctl completions fish > ~/.config/fish/completions/securid-ctl.fish
      once
  securid-ctl completions powershell | Out-String | Invoke-Expression
      belongs into $PROFILE

  The Debian package has installed them for bash, zsh and fish.";

/// What to do about a program that is not found.
pub(crate) const NOT_FOUND: Option<&str> = None;
