//! Of Windows.

pub(super) const WHO_STARTS_IT: &str =
    "securid-ctl setup has it start at log-on, and there is securid-ctl start";

pub(in super::super) const SOCKET: [&str; 2] = ["PIPE", r"Listen here, as \\.\pipe\NAME"];

pub(super) const KEYS: &str = "securid-ctl config
                     show tells the keys";

pub(super) const SIGNALS: &str = "\
Signals:
  Ctrl-C, Ctrl-Break, a console that closes, log-off, shutdown
      revokes all sessions, unless the config says on_exit = \"keep\", and
      ends; a second Ctrl-C ends it sooner
";

pub(super) const ENVIRONMENT: &str = "  HTTPS_PROXY, ALL_PROXY, NO_PROXY
      the way to the servers, where the config says nothing of a proxy
";

pub(super) const FILES: &str = r"  %APPDATA%\securid\config.toml
      the user's config, over the machine's %ProgramData%\securid\config.toml
      and %ProgramData%\securid\config.d\*.toml
  \\.\pipe\securid-sessiond-SID
      the pipe, named after the user
  %LOCALAPPDATA%\securid\state
      records, history, and the log where there is no stderr
";

pub(super) const KEY: &str = r"C:\Users\ann\securid.key";

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use crate::args::Args;

    #[test]
    fn help_has_no_words_of_linux() {
        let mut command = Args::command();
        for help in [command.render_help(), command.render_long_help()] {
            let help = help.to_string();
            for word in [
                "systemd", "launchd", "journal", "/etc", "/run", "/var", "/dev", "~/", "./", "XDG",
                "SIGTERM", "SIGHUP", "as root", "Debian", "(5)",
            ] {
                assert!(!help.contains(word), "{word}: {help}");
            }
        }
    }
}
