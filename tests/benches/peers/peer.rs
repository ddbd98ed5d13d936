//! The peers: programs that hold somebody's secrets and are asked for them.

mod git;
mod gpg;
mod oidc;
mod pizauth;
mod rbw;
mod ssh;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use securid_tests::process::{Process, run};
use securid_tests::within;
use tempfile::TempDir;

use crate::load::Talk;

/// How long a peer may take to start, and any of its commands.
const PATIENCE: Duration = Duration::from_secs(20);

/// How one is started, furnished with a secret and asked, each in a home of its own.
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    /// What has to be on the PATH.
    programs: &'static [&'static str],
    /// What tells its version.
    version: fn() -> Command,
    /// Readies the home of a daemon.
    prepare: fn(&Path),
    /// Starts the daemon.
    pub(crate) daemon: fn(&Path) -> Command,
    /// Where it listens.
    pub(crate) socket: fn(&Path) -> PathBuf,
    /// Its number, where the one that was started is not the one that stays.
    detached: Option<fn(&Path) -> u32>,
    /// Gives it one secret.
    furnish: fn(&Path),
    /// What its own command line is asked, and how that is called.
    pub(crate) question: (&'static str, fn(&Path) -> Command),
    /// A question over its socket, if that is simple enough.
    pub(crate) talk: Option<fn() -> Talk>,
}

/// All that we know.
pub(crate) fn all() -> [Peer; 6] {
    [ssh::PEER, gpg::PEER, git::PEER, oidc::PEER, pizauth::PEER, rbw::PEER]
}

/// Those that are installed.
pub(crate) fn installed() -> Vec<Peer> {
    all().into_iter().filter(Peer::is_there).collect()
}

impl Peer {
    /// Whether its programs are installed.
    pub(crate) fn is_there(&self) -> bool {
        self.programs.iter().all(|program| which(program).is_some())
    }

    /// Its program's file: the daemon's.
    pub(crate) fn program(&self) -> PathBuf {
        let program = (self.daemon)(Path::new("/")).get_program().to_owned();
        which(&program.to_string_lossy()).unwrap_or_else(|| PathBuf::from(program))
    }

    /// The first line that it says of its version.
    pub(crate) fn told_version(&self) -> String {
        let told = run((self.version)(), "", PATIENCE);
        let text = [told.stdout, told.stderr].concat();
        String::from_utf8_lossy(&text).lines().next().unwrap_or("?").to_owned()
    }

    /// A home that is ready for its daemon.
    pub(crate) fn home(&self) -> TempDir {
        let private = Permissions::from_mode(0o700);
        let home = tempfile::Builder::new().prefix("peer-").permissions(private).tempdir_in("/tmp");
        let home = home.expect("there is room");
        (self.prepare)(home.path());
        home
    }

    /// Its daemon, with one secret.
    pub(crate) fn open(&self) -> Running {
        let home = self.home();
        let process = Process::start((self.daemon)(home.path()));
        let socket = (self.socket)(home.path());
        let listens = || UnixStream::connect(&socket).is_ok().then_some(());
        within(PATIENCE, &format!("{} to listen", self.name), listens);
        let running = self.running(home, process);
        (self.furnish)(running.home.path());
        running
    }

    /// What was started, once it listens.
    pub(crate) fn running(&self, home: TempDir, process: Process) -> Running {
        let detached = self.detached.map(|number| number(home.path()));
        Running { detached, process, home }
    }
}

/// A peer's daemon. Dropped, it is gone.
pub(crate) struct Running {
    detached: Option<u32>,
    process: Process,
    pub(crate) home: TempDir,
}

impl Running {
    /// The daemon's number.
    pub(crate) fn pid(&self) -> u32 {
        self.detached.unwrap_or_else(|| self.process.pid())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let Some(pid) = self.detached else {
            // Some have a child, which they take along if they are asked to end and not killed.
            self.process.signal(Signal::TERM);
            self.process.wait(PATIENCE);
            return;
        };
        let number = Pid::from_raw(pid.cast_signed()).expect("a process has a number");
        let _ = kill_process(number, Signal::TERM);
        // It is another's child: dead and not waited for is gone enough.
        within(PATIENCE, "a peer's end", || {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            (stat.is_empty() || stat.contains(") Z ")).then_some(())
        });
    }
}

/// A command with nothing of ours around it, whose output nobody sees.
pub(crate) fn command(program: &str, home: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("HOME", home).env("XDG_RUNTIME_DIR", home).current_dir(home);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Where a program is on the PATH.
pub(crate) fn which(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// Runs one of its own commands, which has to succeed.
fn has_to(mut command: Command) {
    command.stdout(Stdio::null());
    let words = format!("{command:?}");
    let told = run(command, "", PATIENCE);
    assert!(told.status.success(), "{words}: {}", String::from_utf8_lossy(&told.stderr));
}

fn nothing(_: &Path) {}
