//! Other programs, each with a limit on its time: a service manager that hangs must not hang us.

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
    io::{self, Read},
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

use crate::failure::{FAILED, Failure};
use system::Group;
pub(crate) use system::{apart, detached};

/// How often we look whether it has ended: soon enough for a person, and no load.
pub(crate) const STEP: Duration = Duration::from_millis(10);

/// How long its last words may take once it has ended: something that it left behind may hold its
/// end of the pipe.
pub(crate) const LAST_WORDS: Duration = Duration::from_millis(500);

/// How a program ended, and what it said.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ended {
    /// What it complains about, for people.
    pub(crate) fn complaint(&self) -> String {
        match self.err.trim() {
            "" => self.status.to_string(),
            words => words.to_owned(),
        }
    }
}

/// Where this program is.
///
/// # Errors
/// If the system does not say.
pub(crate) fn ourselves() -> Result<PathBuf, Failure> {
    let cannot = |error| Failure::system("tell where securid-ctl itself is", &error);
    env::current_exe().map_err(cannot)
}

/// Runs a program to its end, without a terminal; kills it when its time is over.
///
/// # Errors
/// If it cannot be run, or does not end in time.
pub(crate) fn run(command: Command, within: Duration) -> Result<Ended, Failure> {
    run_bounded(command, within, u64::MAX)
}

/// The same for one that is not trusted: of what it says, so many bytes are read, of each stream.
///
/// # Errors
/// As [`run`].
pub(crate) fn run_bounded(
    mut command: Command,
    within: Duration,
    most: u64,
) -> Result<Ended, Failure> {
    let name = command.get_program().to_string_lossy().into_owned();
    let failed = |what: String| Failure::new("program", what, FAILED);
    // A program that `exec` runs may have started us.
    command.env_remove("SECURID_TOKEN");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut program = Started::spawn(&mut command)
        .map_err(|error| failed(format!("cannot run {name}: {error}")))?;
    let out = program.child.stdout.take().map(|from| collect(from.take(most)));
    let err = program.child.stderr.take().map(|from| collect(from.take(most)));
    let until = Instant::now() + within;
    let status = loop {
        match program.child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if Instant::now() < until => thread::sleep(STEP),
            waited => {
                // Whether it could be killed or not, it has had its time.
                program.kill();
                let why = match waited {
                    Err(error) => error.to_string(),
                    Ok(_) => format!("it has not ended within {} s", within.as_secs()),
                };
                return Err(failed(format!("{name}: {why}")));
            }
        }
    };
    let text = |from: Option<Receiver<Vec<u8>>>| {
        let bytes = from.and_then(|from| from.recv_timeout(LAST_WORDS).ok()).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    Ok(Ended { status, out: text(out), err: text(err) })
}

/// A program that runs.
pub(crate) struct Started {
    pub(crate) child: Child,
    group: Group,
}

impl Started {
    /// # Errors
    /// If it cannot be run.
    pub(crate) fn spawn(command: &mut Command) -> io::Result<Self> {
        let child = command.spawn()?;
        let group = Group::of(&child);
        Ok(Self { child, group })
    }

    /// Ends it, and all others of its group where it has one of its own.
    pub(crate) fn kill(&mut self) {
        self.group.kill();
        let _ = self.child.kill();
        // One that waits for a disk that is gone cannot be killed: it is not waited for.
        let until = Instant::now() + LAST_WORDS;
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < until {
            thread::sleep(STEP);
        }
    }
}

fn collect(mut from: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (done, collected) = channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let read: io::Result<_> = from.read_to_end(&mut bytes);
        // What came until then is worth showing, and nobody may listen any more.
        let _ = (read, done.send(bytes));
    });
    collected
}

// With programs that every system of this kind has.
#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::path::PathBuf;

    use super::*;

    #[test]
    fn what_hangs_is_killed_with_all_that_it_has_started() {
        let folder = tempfile::tempdir().unwrap();
        let note = folder.path().join("pid");
        let mut command = Command::new("setsid");
        let script = format!("sleep 1000 & echo $! > {}; wait", note.display());
        command.args(["sh", "-c", &script]);
        let within = Duration::from_secs(1);
        assert!(run(command, within).unwrap_err().message().contains("has not ended within 1 s"));
        let pid: u32 = std::fs::read_to_string(note).unwrap().trim().parse().unwrap();
        let is_running = || {
            let stat = std::fs::read_to_string(PathBuf::from(format!("/proc/{pid}/stat")));
            stat.is_ok_and(|stat| !stat.contains(") Z "))
        };
        let until = Instant::now() + Duration::from_secs(10);
        while is_running() {
            assert!(Instant::now() < until, "{pid} goes on");
            thread::sleep(STEP);
        }
    }

    #[test]
    fn one_that_says_too_much_is_not_heard_to_its_end() {
        let ended = run_bounded(Command::new("yes"), Duration::from_secs(10), 1_000).unwrap();
        assert_eq!(ended.out.len(), 1_000);
    }
}
