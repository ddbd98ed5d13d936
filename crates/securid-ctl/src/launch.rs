//! Bringing the daemon up: through what of the system has it, else as a program of its own.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

use std::{
    env,
    env::consts::EXE_SUFFIX,
    fs::File,
    io::{Read as _, Seek as _, SeekFrom},
    path::PathBuf,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use securid_ipc::{
    client::{Client, ClientError},
    config_view::ConfigView,
    daemon_log,
    messages::{Call, StatusView},
};
use securid_trust::folder;

use crate::{
    Context, daemon,
    failure::{FAILED, Failure, UNREACHABLE},
    manager::Manager,
    program,
    waiting::waiting,
};

/// How long the daemon may take to come up: it takes some tenths of a second, and longer on a disk
/// that is busy.
pub(crate) const UP_WITHIN: Duration = Duration::from_secs(10);

/// How often we look whether it answers.
const STEP: Duration = Duration::from_millis(20);

/// The exit status for a bad config, ours and the daemon's.
pub(crate) const BAD_CONFIG: u8 = 78;

/// The daemon's for a state folder that cannot be used, and ours.
pub(crate) const STORAGE_FAILED: u8 = 74;

/// The daemon's where another has its state folder, or it gets no socket.
const CANNOT_START: i32 = 1;

/// Who runs the daemon.
#[derive(Debug)]
pub(crate) enum Way {
    /// What of the system has it, as that says.
    Managed(Manager),
    /// Nobody: it is started as a program of its own, and this is its log.
    Alone(Log),
}

/// What a daemon tells that nobody manages, in the state folder.
#[derive(Debug)]
pub(crate) struct Log {
    path: PathBuf,
    file: File,
    /// How long it was before.
    start: u64,
}

impl Way {
    /// The way for this user and these flags. A manager knows nothing of `--config` and the like.
    ///
    /// # Errors
    /// If the manager does not answer, or the daemon's log cannot be opened.
    pub(crate) fn choose(context: &Context) -> Result<Self, Failure> {
        if !context.is_elsewhere()
            && let Some(manager) = Manager::of_the_service()?
        {
            return Ok(Self::Managed(manager));
        }
        Ok(Self::Alone(Log::open(context)?))
    }

    /// The way in which this daemon was brought up.
    ///
    /// # Errors
    /// As [`Way::choose`].
    pub(crate) fn of(context: &Context, pid: u32) -> Result<Self, Failure> {
        match Self::choose(context)? {
            Self::Managed(manager) if !manager.runs(pid)? => Ok(Self::Alone(Log::open(context)?)),
            way => Ok(way),
        }
    }

    /// Brings the daemon up and waits until it answers.
    ///
    /// # Errors
    /// In the daemon's own words if it ends; if it does not answer in time.
    pub(crate) fn launch(self, context: &Context) -> Result<StatusView, Failure> {
        match self {
            Self::Managed(manager) => {
                waiting(context, Manager::WORK, || managed(&manager, context))
            }
            Self::Alone(log) => {
                let what = format!("the daemon to start; its log is {}", log.path.display());
                waiting(context, &what, || alone(log, context))
            }
        }
    }
}

/// The daemon's state, if one answers; one that is started by its socket does so as well.
///
/// # Errors
/// If a daemon is there that does not answer, or is not ours; its own error, as of a bad config.
pub(crate) fn answering(context: &Context) -> Result<Option<StatusView>, Failure> {
    let mut client = match Client::connect(&context.paths.sockets) {
        Ok(client) => client,
        Err(error) if daemon::is_nobody(&error) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    match client.call(&Call::Status, daemon::ANSWER_WITHIN) {
        Ok(status) => Ok(Some(status)),
        // It was just ending, or is just being started anew.
        Err(ClientError::Disconnected { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Has the daemon itself check the config that it would start with.
///
/// # Errors
/// In its own words, with the status of a bad config.
pub(crate) fn check_config(context: &Context) -> Result<(), Failure> {
    look_at_config(context, "--check-config").map(drop)
}

/// Has the daemon's program read the config that it would start with.
///
/// # Errors
/// As [`check_config`]; if the program is another version's.
pub(crate) fn show_config(context: &Context) -> Result<ConfigView, Failure> {
    let shown = look_at_config(context, "--show-config")?;
    serde_json::from_str(&shown).map_err(|error| {
        let what = format!("{} shows its config in another way: {error}", program().display());
        Failure::new("program", what, FAILED).with_hint("Is it another version's?")
    })
}

fn look_at_config(context: &Context, option: &str) -> Result<String, Failure> {
    let mut command = context.daemon_command();
    command.args(["--log", "off", option]);
    let ended = program::run(command, UP_WITHIN)?;
    match ended.status.code() {
        Some(0) => Ok(ended.out),
        _ => Err(Failure::new("bad-config", words(&ended.err), BAD_CONFIG)
            .with_hint("Mend it; securid-sessiond --check-config tells whether it is good then.")),
    }
}

/// The daemon's program: the one that came along with us, else that of the PATH.
pub(crate) fn program() -> PathBuf {
    let name = format!("securid-sessiond{EXE_SUFFIX}");
    let beside = env::current_exe().ok().map(|us| us.with_file_name(&name));
    beside.filter(|path| path.is_file()).unwrap_or_else(|| name.into())
}

fn managed(manager: &Manager, context: &Context) -> Result<StatusView, Failure> {
    manager.start(context)?;
    let until = Instant::now() + UP_WITHIN;
    loop {
        match answering(context)? {
            Some(status) => return Ok(status),
            None if Instant::now() < until => thread::sleep(STEP),
            None => return Err(silent(Manager::LOG)),
        }
    }
}

fn alone(mut log: Log, context: &Context) -> Result<StatusView, Failure> {
    let failed = |what: &str, error| Failure::new("start", format!("{what}: {error}"), UNREACHABLE);
    let stderr = log.file.try_clone()?;
    let mut command = context.daemon_command();
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(stderr);
    let mut daemon = program::detached(&mut command)
        .map_err(|error| failed(&format!("cannot run {}", program().display()), error))?;
    let until = Instant::now() + UP_WITHIN;
    loop {
        if let Some(status) = daemon.child.try_wait()? {
            // One that somebody else has just started is as good, also before it answers.
            if let Some(status) = answering(context)? {
                return Ok(status);
            }
            let another = status.code() == Some(CANNOT_START)
                && daemon::holder(&context.paths.state_dir).is_some();
            if another && Instant::now() < until {
                thread::sleep(STEP);
                continue;
            }
            let said = words(&log.since()?);
            let exit = match status.code() {
                Some(78) => BAD_CONFIG,
                Some(74) => STORAGE_FAILED,
                _ => UNREACHABLE,
            };
            let said = if said.is_empty() { format!("securid-sessiond: {status}") } else { said };
            return Err(Failure::new("start", said, exit)
                .with_hint(format!("Its log is {}.", log.path.display())));
        }
        match answering(context)? {
            Some(status) => return Ok(status),
            None if Instant::now() < until => thread::sleep(STEP),
            None => return Err(silent(&log.path.display().to_string())),
        }
    }
}

fn silent(log: &str) -> Failure {
    let within = UP_WITHIN.as_secs();
    let message = format!("the daemon was started and has not answered within {within} s");
    Failure::new("start", message, UNREACHABLE).with_hint(format!("See {log}."))
}

impl Log {
    fn open(context: &Context) -> Result<Self, Failure> {
        let state = &context.paths.state_dir;
        let unusable = |why: String| {
            Failure::new("storage-failed", why, STORAGE_FAILED)
                .with_hint("Name another folder with --state-dir.")
        };
        folder::private_with_parents(state).map_err(|error| unusable(error.to_string()))?;
        let path = daemon_log::place(state);
        let file = system::to_append(&path)
            .map_err(|error| unusable(format!("cannot open {}: {error}", path.display())))?;
        let start = file.metadata()?.len();
        Ok(Self { path, file, start })
    }

    /// What has been added to it.
    fn since(&mut self) -> std::io::Result<String> {
        let mut text = Vec::new();
        self.file.seek(SeekFrom::Start(self.start))?;
        self.file.read_to_end(&mut text)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}

/// What the daemon says to whoever started it, without its log; all of it if it said nothing.
fn words(stderr: &str) -> String {
    const SAYS: &str = "securid-sessiond: ";
    let said = stderr.split_once(SAYS).map_or(stderr, |(_, said)| said);
    said.trim().replace(SAYS, "")
}

impl Context {
    /// The daemon's program with what we were told about where things are.
    pub(crate) fn daemon_command(&self) -> Command {
        let mut command = Command::new(program());
        // It would stand in its environment for as long as it runs, where `exec` started us.
        command.env_remove("SECURID_TOKEN");
        let named = [
            ("--config", &self.named.config),
            ("--socket", &self.named.socket),
            ("--state-dir", &self.named.state_dir),
        ];
        for (flag, path) in named {
            if let Some(path) = path {
                command.arg(flag).arg(path);
            }
        }
        command
    }
}
