//! The user's service manager, through `systemctl`.

use std::{
    env,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use crate::{
    failure::{FAILED, Failure},
    program,
};

/// The daemon's units.
pub(crate) const SERVICE: &str = "securid-sessiond.service";
pub(crate) const SOCKET: &str = "securid-sessiond.socket";

/// The unit of this kind by which the system runs the daemon of this user.
pub(crate) fn of_the_system(kind: &str) -> String {
    format!("securid-sessiond@{}.{kind}", rustix::process::getuid().as_raw())
}

/// For what a manager knows by heart, or does by itself: it answers in milliseconds, unless it hangs.
pub(crate) const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// How systemd exits in the daemon's place if it cannot set the sandbox up (systemd.exec(5)): EXIT_USER,
/// EXIT_NAMESPACE.
const NO_SANDBOX: [&str; 2] = ["217", "226"];

/// Whose units are meant.
#[derive(Debug, Clone)]
pub(crate) enum Scope {
    /// Those of one user's manager.
    User(Manager),
    /// Those of all users' managers, of which none need run.
    Global,
}

impl Scope {
    /// What tells `systemctl` so.
    pub(crate) fn flag(&self) -> &'static str {
        match self {
            Self::User(_) => "--user",
            Self::Global => "--global",
        }
    }

    /// Runs `systemctl` with these words.
    ///
    /// # Errors
    /// As [`Manager::systemctl`].
    pub(crate) fn systemctl(&self, words: &[&str], within: Duration) -> Result<String, Failure> {
        match self {
            Self::User(manager) => manager.systemctl(words, within),
            Self::Global => {
                let mut command = Command::new("systemctl");
                command.arg(self.flag());
                systemctl(command, self.flag(), words, within)
            }
        }
    }
}

/// The service manager of this process's user.
#[derive(Debug, Clone)]
pub(crate) struct Manager {
    runtime: PathBuf,
}

impl Manager {
    /// The one that runs; none if there is none that we could reach.
    ///
    /// It is looked for in `/run/user` as well: with `su`, `runuser` and cron the environment says
    /// nothing of it, or names another user's.
    pub(crate) fn find() -> Option<Self> {
        let us = rustix::process::getuid().as_raw();
        let said = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|it| it.is_absolute());
        let usual = PathBuf::from(format!("/run/user/{us}"));
        let is_ours = |folder: &PathBuf| {
            folder.join("systemd/private").symlink_metadata().is_ok_and(|it| it.uid() == us)
        };
        said.into_iter().chain([usual]).find(is_ours).map(|runtime| Self { runtime })
    }

    /// A command that finds this manager and its bus.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        let bus = format!("unix:path={}", self.runtime.join("bus").display());
        command
            .arg("--user")
            .env("XDG_RUNTIME_DIR", &self.runtime)
            .env("DBUS_SESSION_BUS_ADDRESS", bus);
        command
    }

    /// Runs `systemctl --user` with these words.
    ///
    /// # Errors
    /// In systemd's own words, or that it hangs.
    pub(crate) fn systemctl(&self, words: &[&str], within: Duration) -> Result<String, Failure> {
        systemctl(self.command("systemctl"), "--user", words, within)
    }

    /// A property of a unit; without a unit, of the manager.
    ///
    /// # Errors
    /// As [`Manager::systemctl`].
    pub(crate) fn property(&self, unit: Option<&str>, name: &str) -> Result<String, Failure> {
        let mut words = vec!["show", "--value", "--property", name];
        words.extend(unit);
        Ok(self.systemctl(&words, ANSWER_WITHIN)?.trim().to_owned())
    }

    /// What to do about our service, which has failed to start.
    pub(crate) fn advice(&self) -> &'static str {
        match self.property(Some(SERVICE), "ExecMainStatus") {
            Ok(status) if NO_SANDBOX.contains(&&*status) => {
                "It seems that this machine gives users no user namespaces, which the unit's sandbox needs: \
                 docs/operations.md (Hardening) has a drop-in for that."
            }
            _ => "journalctl --user -u securid-sessiond shows what it said.",
        }
    }

    /// Whether it has our service's unit.
    ///
    /// # Errors
    /// If it does not say, or a person has masked the unit: that means "do not run this".
    pub(crate) fn knows_service(&self) -> Result<bool, Failure> {
        match &*self.property(Some(SERVICE), "LoadState")? {
            "loaded" => Ok(true),
            "masked" => Err(Failure::new("systemd", format!("{SERVICE} is masked"), FAILED)
                .with_hint(format!("systemctl --user unmask {SERVICE} allows it again."))),
            _ => Ok(false),
        }
    }
}

/// Whether systemd runs this machine, as `sd_booted` has it.
pub(crate) fn is_booted() -> bool {
    Path::new("/run/systemd/system").is_dir()
}

fn systemctl(
    mut command: Command,
    flag: &str,
    words: &[&str],
    within: Duration,
) -> Result<String, Failure> {
    command.args(["--no-pager", "--no-ask-password"]).args(words);
    let ended = program::run(command, within)?;
    if ended.status.success() {
        return Ok(ended.out);
    }
    let said = format!("systemctl {flag} {}: {}", words.join(" "), ended.complaint());
    Err(Failure::new("systemd", said, FAILED))
}
