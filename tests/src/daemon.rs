//! The daemon of a house, and the command line beside it: started, signalled, ended.

use std::fs::{File, OpenOptions};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitStatus, Output, Stdio};
use std::time::Duration;

use rustix::process::Signal;

use crate::client::Client;
use crate::house::House;
use crate::patience::{PATIENCE, eventually};
use crate::plan::Plan;
use crate::process::{Process, run};
use crate::programs::{programs, put_within_reach};

/// How long a command of `securid-ctl` may take in a test.
const COMMAND: Duration = Duration::from_secs(60);

impl House {
    /// A command that runs the daemon here, in an environment of its own.
    ///
    /// # Panics
    /// If the program cannot be put where its user may run it.
    #[must_use]
    pub fn daemon_command(&self) -> Command {
        let mut program = programs().daemon.clone();
        if self.plan.user.is_some() {
            program = put_within_reach(&program, &self.path(""));
        }
        let mut command = match &self.disk {
            None => self.with_socket(&program),
            Some(disk) => disk.command(&program),
        };
        command.args(["--log", self.plan.log]);
        self.furnish(&mut command);
        if let Some(user) = self.plan.user {
            command.uid(user).gid(user);
        }
        command
    }

    /// Starts the daemon and waits until it answers.
    pub fn start(&mut self) {
        self.start_with(self.daemon_command());
    }

    /// The same with a command of one's own making.
    ///
    /// # Panics
    /// If it does not come up.
    pub fn start_with(&mut self, command: Command) {
        let log = self.open_log();
        self.start_telling(command, log);
    }

    /// The same without waiting for anything.
    ///
    /// # Panics
    /// If a daemon runs already.
    pub fn start_unseen(&mut self, mut command: Command, stderr: impl Into<Stdio>) {
        assert!(self.daemon.is_none(), "a daemon runs already");
        command.stdin(self.stdin_of_daemon()).stdout(Stdio::null()).stderr(stderr);
        self.daemon = Some(Process::start(command));
    }

    /// The house's log, to be written to.
    ///
    /// # Panics
    /// If it cannot be opened.
    #[must_use]
    pub fn open_log(&self) -> File {
        let log = OpenOptions::new().create(true).append(true).open(self.path("daemon.log"));
        log.expect("the folder is ours")
    }

    /// The same, with its stderr elsewhere than in the house's log.
    ///
    /// # Panics
    /// If it does not come up.
    pub fn start_telling(&mut self, command: Command, stderr: impl Into<Stdio>) {
        if !self.start_mortal(command, stderr) {
            let status = self.wait_for_end(PATIENCE);
            panic!("the daemon ended at its start, {status}:\n{}", self.log());
        }
    }

    /// The same with a daemon that may die at its start: whether it lived to answer.
    ///
    /// # Panics
    /// If it neither answers nor ends.
    pub fn start_mortal(&mut self, command: Command, stderr: impl Into<Stdio>) -> bool {
        self.start_unseen(command, stderr);
        eventually("the daemon to answer", || {
            let answers = Client::connect(&self.socket()).is_ok();
            (answers || self.has_ended()).then_some(answers)
        })
    }

    /// Whether the daemon has ended by itself.
    ///
    /// # Panics
    /// If none was started.
    pub fn has_ended(&mut self) -> bool {
        self.daemon.as_mut().expect("a daemon was started").ended().is_some()
    }

    /// Runs the daemon with more words to its end, which has to come by itself.
    #[must_use]
    pub fn run_daemon(&self, words: &[&str]) -> Output {
        let mut command = self.daemon_command();
        command.args(words);
        run(command, "", PATIENCE)
    }

    /// A house whose daemon was killed with so many sessions live: their ids and tokens.
    #[must_use]
    pub fn left_alone(plan: Plan, sessions: usize) -> (Self, Vec<(String, String)>) {
        let mut house = Self::open(plan);
        let held = house.add_many(sessions);
        house.kill_9();
        (house, held)
    }

    /// The daemon's process number.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.running().pid()
    }

    /// Ends the daemon as a crash does.
    pub fn kill_9(&mut self) {
        // Dropped, it is killed and waited for.
        self.daemon.take().expect("a daemon runs");
    }

    /// Ends it with SIGTERM.
    pub fn terminate(&mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.wait_for_end(PATIENCE)
    }

    /// Ends it so that its sessions are kept for the next start.
    pub fn terminate_keeping(&mut self) -> ExitStatus {
        self.call("daemon.stop", serde_json::json!({"keep": true}));
        self.wait_for_end(PATIENCE)
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        self.running().signal(signal);
    }

    /// Waits until it has ended.
    pub fn wait_for_end(&mut self, limit: Duration) -> ExitStatus {
        let status = self.daemon.as_mut().expect("a daemon runs").wait(limit);
        self.daemon = None;
        status
    }

    /// A connection of one's own.
    ///
    /// # Panics
    /// If the daemon does not listen.
    #[must_use]
    pub fn client(&self) -> Client {
        Client::connect(&self.socket()).expect("the daemon listens")
    }

    /// A connection of somebody who does not keep to the protocol.
    ///
    /// # Panics
    /// If the daemon does not listen.
    #[must_use]
    pub fn stream(&self) -> UnixStream {
        let stream = UnixStream::connect(self.socket()).expect("the daemon listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("it is not nothing");
        stream.set_write_timeout(Some(PATIENCE)).expect("it is not nothing");
        stream
    }

    /// Runs `securid-ctl` in this house.
    #[must_use]
    pub fn ctl(&self, words: &[&str]) -> Output {
        self.ctl_with(words, "")
    }

    /// The same with something on its stdin.
    #[must_use]
    pub fn ctl_with(&self, words: &[&str], input: &str) -> Output {
        let mut command = Command::new(&programs().ctl);
        command.args(words);
        self.furnish(&mut command);
        let output = run(command, input, COMMAND);
        // Both may print a token, as they are meant to.
        if !words.iter().any(|word| ["token", "exec"].contains(word)) {
            self.note_heard(&String::from_utf8_lossy(&output.stdout));
        }
        self.note_heard(&String::from_utf8_lossy(&output.stderr));
        output
    }

    /// An environment in which nothing points out of the house.
    pub fn furnish(&self, command: &mut Command) {
        command.env_clear().current_dir(self.folder.path());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.path("home")).env("XDG_RUNTIME_DIR", self.path("run"));
        command.env("SECURID_SOCKET", self.socket()).env("SECURID_CONFIG", self.config());
        command.env("SECURID_STATE_DIR", self.state_dir());
        command.env("SECURID_TEST_STORE", self.path("store"));
        let bus = self.path("home/bus");
        command.env("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={}", bus.display()));
        let bus = self.path("system/bus");
        command.env("DBUS_SYSTEM_BUS_ADDRESS", format!("unix:path={}", bus.display()));
        if let Some(boot_id) = &self.boot_id {
            command.env("SECURID_TEST_BOOT_ID", boot_id);
        }
    }

    fn running(&self) -> &Process {
        self.daemon.as_ref().expect("a daemon runs")
    }
}
