//! tmux, which is the terminal: a server of one's own, and what it is asked.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::patience::{PATIENCE, eventually};
use crate::process::{Process, run, told};
use crate::programs::programs;

/// A terminal that is everywhere where tmux is, and can do what usual ones can.
const TERM: &str = "tmux-256color";

/// How many lines of what has gone off the top are kept: more than any test prints.
const HISTORY: &str = "10000";

/// A server that nobody else uses, killed when it is dropped.
#[derive(Debug)]
pub(super) struct Tmux {
    // Dropped before its folder.
    _server: Process,
    folder: TempDir,
    /// Where shells begin.
    pub(super) start: PathBuf,
}

impl Tmux {
    /// Starts it; its environment is that of the shells in it.
    pub(super) fn start(furnish: impl FnOnce(&mut Command)) -> Self {
        let folder = tempfile::Builder::new().prefix("securid-terminal-").tempdir_in("/tmp");
        let folder = folder.expect("there is room");
        let mut server = command(folder.path());
        furnish(&mut server);
        let start = server.get_current_dir().unwrap_or(folder.path()).to_owned();
        // Not as a daemon: it is our child.
        server.args(["-f", "/dev/null", "-D"]);
        server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let tmux = Self { _server: Process::start(server), folder, start };
        eventually("tmux", || tmux.try_ask(&["list-sessions"]).ok());
        for option in [
            ["default-terminal", TERM],
            ["history-limit", HISTORY],
            // The screen is the shell's alone.
            ["status", "off"],
        ] {
            tmux.ask(&[&["set-option", "-g"], &option[..]].concat());
        }
        tmux
    }

    /// Has it carry out a command, and gives what that says.
    #[track_caller]
    pub(super) fn ask(&self, words: &[&str]) -> String {
        self.try_ask(words).unwrap_or_else(|error| panic!("tmux {words:?}: {error}"))
    }

    /// The same, or what it complains of.
    pub(super) fn try_ask(&self, words: &[&str]) -> Result<String, String> {
        let mut client = command(self.folder.path());
        client.args(words);
        let output = run(client, "", PATIENCE);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() { Ok(text) } else { Err(told(&output)) }
    }

    /// One of its variables (`man tmux`, FORMATS).
    pub(super) fn variable(&self, name: &str) -> String {
        self.ask(&["display-message", "-p", &format!("#{{{name}}}")]).trim_end().to_owned()
    }

    /// Where its socket is.
    #[cfg(test)]
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }
}

fn command(folder: &Path) -> Command {
    let mut command = Command::new("tmux");
    // In UTF-8, whatever the locale is.
    command.arg("-u").arg("-S").arg(folder.join("socket"));
    // Shells have the path of the client that asked for them.
    command.env("PATH", path_with_programs());
    // A test may run in a tmux itself.
    command.env_remove("TMUX").env_remove("TMUX_PANE");
    command
}

fn path_with_programs() -> OsString {
    let ours = programs().ctl.parent().map(PathBuf::from);
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = ours.into_iter().chain(env::split_paths(&path));
    env::join_paths(folders).expect("cargo's folders have no colon")
}
