//! The folder's files, and the environment in which programs run.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use tempfile::TempDir;

/// Where everything of one demo is. The folder vanishes when this is dropped.
pub(crate) struct Surroundings {
    folder: TempDir,
    /// Where securid-sessiond and securid-ctl are.
    programs: PathBuf,
    /// The folder of the store that replaces the kernel's keyring, if that is barred.
    pub(crate) test_store: Option<TempDir>,
}

impl Surroundings {
    pub(crate) fn new(programs: PathBuf) -> io::Result<Self> {
        Ok(Self { folder: private_folder(&env::temp_dir())?, programs, test_store: None })
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A file of the demo by its name.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file that nobody else may read.
    pub(crate) fn write(&self, name: &str, text: &str) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        options.open(self.path(name))?.write_all(text.as_bytes())
    }

    /// The end of what the daemon has told.
    pub(crate) fn log_end(&self) -> String {
        let log = fs::read_to_string(self.path(LOG)).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
    }

    /// Whether the daemon has left records of sessions.
    pub(crate) fn has_records(&self) -> bool {
        let records = fs::read_dir(self.path(STATE).join("sessions"));
        records.is_ok_and(|mut records| records.next().is_some())
    }

    /// How a person would come here: the variables and the folder, as typed.
    pub(crate) fn entrance(&self) -> String {
        let variables = self.variables();
        let exports = variables.iter().map(|(name, value)| format!("export {name}={value}\n"));
        let programs = self.programs.display();
        format!("cd {}\nexport PATH={programs}:$PATH\n", self.folder().display())
            + &exports.collect::<String>()
    }

    /// A program in these surroundings and in no others: nothing that the user has set (a proxy, a
    /// session, a log level) may change what happens. Ctrl-C reaches the demo alone, which ends the
    /// others in the right order.
    pub(crate) fn command(&self, program: &str) -> io::Result<Command> {
        let mut path = self.programs.clone().into_os_string();
        if let Some(others) = env::var_os("PATH") {
            path.push(":");
            path.push(others);
        }
        let log = OpenOptions::new().create(true).append(true).open(self.path(LOG))?;
        let mut command = Command::new(program);
        command
            .current_dir(self.folder())
            .env_clear()
            .env("PATH", path)
            .envs(self.variables())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0);
        Ok(command)
    }

    fn variables(&self) -> Vec<(&'static str, String)> {
        let named = |name, file| (name, self.path(file).display().to_string());
        let mut variables = vec![
            named("SECURID_CONFIG", CONFIG),
            named("SECURID_STATE_DIR", STATE),
            named("SECURID_SOCKET", SOCKET),
            named("CURL_CA_BUNDLE", CA),
        ];
        if let Some(store) = &self.test_store {
            variables.push(("SECURID_TEST_STORE", store.path().display().to_string()));
        }
        variables
    }
}

/// A new folder that nobody else can look into, which vanishes when this is dropped.
pub(crate) fn private_folder(place: &Path) -> io::Result<TempDir> {
    let private = fs::Permissions::from_mode(0o700);
    tempfile::Builder::new().prefix("securid-demo-").permissions(private).tempdir_in(place)
}

pub(crate) const CONFIG: &str = "config.toml";
const STATE: &str = "state";
pub(crate) const SOCKET: &str = "sessiond.sock";
/// The certificate of the simulated server's CA.
pub(crate) const CA: &str = "ca.pem";
/// The last lines of the daemon's log that are shown when something differs.
const LOG_LINES: usize = 12;
/// What the daemon tells.
pub(crate) const LOG: &str = "sessiond.log";
