//! A house of one's own: a server, a folder for everything, and a daemon that is started, killed and started again.

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output, Stdio};
use std::time::Duration;

use securid_simulator::{Options, Simulator, TokenTruth, Truth};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::Client;
use crate::patience::{PATIENCE, eventually};
use crate::process::{Process, run};
use crate::programs::programs;
use crate::system;

/// The password of the simulator's only user, `alice`.
pub const PASSWORD: &str = "correct horse";

/// How long a command of `securid-ctl` may take.
const COMMAND: Duration = Duration::from_secs(60);

/// Retries come within some hundred milliseconds.
const REVOCATION: &str = "[revocation]\nattempt_timeout = \"2s\"\nretry_initial = \"100ms\"\n\
    retry_max = \"300ms\"\nshutdown_grace = \"5s\"\n";

/// Has a daemon end.
const STOP: &str = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"daemon.stop\",\"params\":{}}\n";

/// Everything that a test needs, and nothing that another one sees. Dropped, it leaves nothing behind; in a failing
/// test it shows the daemon's log first.
pub struct House {
    folder: TempDir,
    /// The server, and its truth.
    pub simulator: Simulator,
    daemon: Option<Process>,
    boots: usize,
}

impl House {
    /// A house without a daemon yet, with these lines at the top of its config.
    ///
    /// # Panics
    /// If it cannot be built.
    #[must_use]
    pub fn build(top: &str) -> Self {
        let folder = system::private_folder();
        let simulator = Simulator::start(Options::default()).expect("loopback works");
        let house = Self { folder, simulator, daemon: None, boots: 0 };
        for name in ["home", "store"] {
            fs::create_dir(house.path(name)).expect("the folder is ours");
        }
        let ca_file = house.path("ca.pem");
        fs::write(&ca_file, house.simulator.ca_pem()).expect("the folder is ours");
        house.write_config(&format!(
            "keyring = \"{}\"\n{top}\n{REVOCATION}\n[instances.prod]\nurl = \"{}\"\n\
             username = \"alice\"\nca_file = '{}'\n",
            system::KEYRING,
            house.simulator.url(),
            ca_file.display()
        ));
        house
    }

    /// A house with a daemon that answers.
    #[must_use]
    pub fn open(top: &str) -> Self {
        let mut house = Self::build(top);
        house.start();
        house
    }

    /// Something in the house's folder.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The house's folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The config file.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.path("config.toml")
    }

    /// The folder of records.
    #[must_use]
    pub fn state_dir(&self) -> PathBuf {
        self.path("state")
    }

    /// Where the daemon listens.
    #[must_use]
    pub fn endpoint(&self) -> PathBuf {
        system::endpoint(self.folder.path())
    }

    /// Everything that its daemons wrote to stderr.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.path("daemon.log")).unwrap_or_default()
    }

    /// What a daemon that `securid-ctl` has started wrote there.
    #[must_use]
    pub fn started_log(&self) -> String {
        fs::read_to_string(self.state_dir().join("sessiond.log")).unwrap_or_default()
    }

    /// Puts another config into the place of the one there is.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn write_config(&self, text: &str) {
        fs::write(self.config(), text).expect("the folder is ours");
    }

    /// How many sessions are recorded.
    #[must_use]
    pub fn records(&self) -> usize {
        fs::read_dir(self.state_dir().join("sessions")).into_iter().flatten().count()
    }

    /// How many secrets are in the keyring.
    #[must_use]
    pub fn secrets(&self) -> usize {
        system::secrets(self.folder.path(), &self.state_dir())
    }

    /// The next daemon believes that the machine was booted anew.
    pub fn reboot(&mut self) {
        self.boots += 1;
    }

    /// A program in an environment in which nothing points out of the house.
    ///
    /// # Panics
    /// If there is no such folder.
    pub fn furnish(&self, command: &mut Command) {
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("SECURID_") {
                command.env_remove(name);
            }
        }
        system::furnish(command, self.folder.path());
        command.current_dir(self.folder.path());
        command.env(
            "SECURID_TEST_BOOT_ID",
            format!("boot {} of {}", self.boots, self.path("").display()),
        );
    }

    /// A command that runs the daemon here.
    #[must_use]
    pub fn daemon_command(&self) -> Command {
        let mut command = Command::new(&programs().daemon);
        command.args(["--log", "debug", "--config"]).arg(self.config());
        command.arg("--socket").arg(self.endpoint()).arg("--state-dir").arg(self.state_dir());
        self.furnish(&mut command);
        command
    }

    /// A command that runs `securid-ctl` here.
    #[must_use]
    pub fn ctl_command(&self) -> Command {
        let mut command = Command::new(&programs().ctl);
        self.furnish(&mut command);
        command.env("SECURID_SOCKET", self.endpoint()).env("SECURID_CONFIG", self.config());
        command.env("SECURID_STATE_DIR", self.state_dir());
        command
    }

    /// Starts the daemon and waits until it answers.
    ///
    /// # Panics
    /// If it does not.
    pub fn start(&mut self) {
        assert!(self.daemon.is_none(), "a daemon runs already");
        let log = OpenOptions::new().create(true).append(true).open(self.path("daemon.log"));
        let mut command = self.daemon_command();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log.expect("the folder is ours"));
        let mut daemon = Process::start(command);
        eventually("the daemon to answer", || {
            let ended = daemon.ended();
            assert!(ended.is_none(), "the daemon ended at its start, {ended:?}:\n{}", self.log());
            Client::connect(&self.endpoint()).ok()
        });
        self.daemon = Some(daemon);
    }

    /// The daemon.
    ///
    /// # Panics
    /// If none runs.
    pub fn daemon(&mut self) -> &mut Process {
        self.daemon.as_mut().expect("a daemon runs")
    }

    /// Ends the daemon as a crash does.
    ///
    /// # Panics
    /// If none runs.
    pub fn kill(&mut self) {
        // Dropped, it is killed and waited for.
        self.daemon.take().expect("a daemon runs");
    }

    /// Asks it to end, as the system does, and waits for that.
    pub fn ask_to_end(&mut self) -> ExitStatus {
        self.daemon().ask_to_end();
        self.wait_for_end()
    }

    /// Waits until it has ended.
    pub fn wait_for_end(&mut self) -> ExitStatus {
        let status = self.daemon().wait(PATIENCE);
        self.daemon = None;
        status
    }

    /// Runs the daemon's program with more words to its end, which has to come by itself.
    #[must_use]
    pub fn run_daemon(&self, words: &[&str]) -> Output {
        let mut command = self.daemon_command();
        command.args(words);
        run(command, "", COMMAND)
    }

    /// Runs `securid-ctl` here.
    #[must_use]
    pub fn ctl(&self, words: &[&str]) -> Output {
        self.ctl_with(words, "")
    }

    /// The same with something on its stdin.
    #[must_use]
    pub fn ctl_with(&self, words: &[&str], input: &str) -> Output {
        let mut command = self.ctl_command();
        command.args(words);
        run(command, input, COMMAND)
    }

    /// A connection of one's own.
    ///
    /// # Panics
    /// If the daemon does not listen.
    #[must_use]
    pub fn client(&self) -> Client {
        Client::connect(&self.endpoint()).expect("the daemon listens")
    }

    /// Calls a method on a connection of its own.
    ///
    /// # Panics
    /// On an error.
    #[must_use]
    pub fn call(&self, method: &str, params: Value) -> Value {
        self.client().call(method, params).unwrap_or_else(|e| panic!("{method}: {e:?}"))
    }

    /// Has the server issue a token and the daemon take it over: the session's id and the token.
    ///
    /// # Panics
    /// If it is not taken.
    #[must_use]
    pub fn add(&self) -> (String, String) {
        let token = self.simulator.issue("alice");
        let taken = self.call("session.add", json!({"token": token}));
        (taken["id"].as_str().expect("a session has an id").to_owned(), token)
    }

    /// A house whose daemon was killed with so many sessions live: their ids and tokens.
    #[must_use]
    pub fn left_alone(sessions: usize) -> (Self, Vec<(String, String)>) {
        let mut house = Self::open("");
        let held = (0..sessions).map(|_| house.add()).collect();
        house.kill();
        (house, held)
    }

    /// All sessions.
    ///
    /// # Panics
    /// If it is no list.
    #[must_use]
    pub fn sessions(&self) -> Vec<Value> {
        self.call("session.list", json!({}))["sessions"].as_array().expect("a list").clone()
    }

    /// What the history says of a session, once it has ended.
    ///
    /// # Panics
    /// If it does not end.
    #[must_use]
    pub fn eventually_ended(&self, id: &str) -> Value {
        eventually("the session in the history", || {
            let history = self.call("session.history", json!({}));
            let lines = history["sessions"].as_array().expect("a list").clone();
            lines.into_iter().find(|line| line["id"] == *id)
        })
    }

    /// What became of a token.
    ///
    /// # Panics
    /// If the server never issued it.
    #[must_use]
    pub fn fate(&self, token: &str) -> TokenTruth {
        self.simulator.truth().token(token).expect("the server issued it").clone()
    }

    /// Waits until the truth is as wanted.
    ///
    /// # Panics
    /// If it never is.
    pub fn eventually_true(&self, what: &str, wanted: impl FnMut(&Truth) -> bool) {
        assert!(self.simulator.wait_until(PATIENCE, wanted), "waited in vain for {what}");
    }

    /// That every token is dead, and neither record nor secret is left.
    ///
    /// # Panics
    /// If something is.
    pub fn assert_all_is_over(&self) {
        assert_eq!(self.simulator.truth().alive(), [""; 0]);
        eventually("records and secrets to go", || {
            (self.records() == 0 && self.secrets() == 0).then_some(())
        });
    }

    /// No token and no password is in any file of this house but the keyring's, or in any of these words.
    ///
    /// # Panics
    /// If one is.
    pub fn assert_no_leak(&self, told: &[&Output]) {
        let mut places = vec![(self.path("daemon.log"), self.log().into_bytes())];
        collect(&self.state_dir(), &mut places);
        for output in told {
            places.push(("a command's words".into(), [&*output.stdout, &output.stderr].concat()));
        }
        let truth = self.simulator.truth();
        let tokens = truth.tokens.iter().map(|token| &*token.token);
        for secret in tokens.chain([PASSWORD]) {
            for (place, bytes) in &places {
                let found = bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
                assert!(!found, "a secret is in {}", place.display());
            }
        }
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.daemon = None;
        // One that `securid-ctl start` has brought up, in a test that failed before it was stopped.
        if let Ok(mut client) = Client::connect(&self.endpoint()) {
            let _ = client.exchange(STOP.to_owned(), COMMAND);
        }
        let left = self.secrets();
        system::forget_secrets(self.folder.path(), &self.state_dir());
        if std::thread::panicking() {
            let truth = self.simulator.truth();
            eprintln!("--- the daemon's log ---\n{}--- the truth ---\n{truth:?}\n", self.log());
        } else {
            assert_eq!(left, 0, "secrets were left behind in the keyring");
        }
    }
}

/// The files of a folder and of those in it, with what is in them.
fn collect(folder: &Path, places: &mut Vec<(PathBuf, Vec<u8>)>) {
    for path in fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            collect(&path, places);
        } else if let Ok(bytes) = fs::read(&path) {
            places.push((path, bytes));
        }
    }
}
