//! Other programs, each with a limit on its time: a service manager that hangs must not hang us.

use std::{
    io::{self, Read},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::failure::{FAILED, Failure};

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
    let mut child =
        command.spawn().map_err(|error| failed(format!("cannot run {name}: {error}")))?;
    let out = child.stdout.take().map(|from| collect(from.take(most)));
    let err = child.stderr.take().map(|from| collect(from.take(most)));
    let until = Instant::now() + within;
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if Instant::now() < until => thread::sleep(STEP),
            waited => {
                // Whether it could be killed or not, it has had its time.
                kill(&mut child);
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

/// Ends a program, and all others of its process group where it has one of its own.
pub(crate) fn kill(child: &mut Child) {
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    // There may be no such group, and nothing left to be killed.
    let _ = group.map(|group| kill_process_group(group, Signal::KILL));
    let _ = child.kill();
    // One that waits for a disk that is gone cannot be killed: it is not waited for.
    let until = Instant::now() + LAST_WORDS;
    while matches!(child.try_wait(), Ok(None)) && Instant::now() < until {
        thread::sleep(STEP);
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

#[cfg(test)]
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
