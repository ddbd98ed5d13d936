//! A process of ours: watched, signalled and ended by its own id, with a bound on every wait.

use std::io::{Read, Write};
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// A child that is killed, and waited for, when it is dropped.
#[derive(Debug)]
pub struct Process(Child);

impl Process {
    /// Starts it.
    ///
    /// # Panics
    /// If it cannot be started.
    #[must_use]
    pub fn start(mut command: Command) -> Self {
        let program = command.get_program().to_owned();
        Self(command.spawn().unwrap_or_else(|e| panic!("{}: {e}", program.display())))
    }

    /// Its number.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.0.id()
    }

    /// Sends it a signal; fine if it has ended.
    pub fn signal(&self, signal: Signal) {
        let _ = kill_process(Pid::from_child(&self.0), signal);
    }

    /// Writes a line to its stdin, which is a pipe.
    ///
    /// # Panics
    /// If it does not read.
    pub fn tell(&mut self, line: &str) {
        let stdin = self.0.stdin.as_mut().expect("its stdin is a pipe");
        writeln!(stdin, "{line}").expect("it reads");
    }

    /// Waits until it has written something to its stdout, which is a pipe; forgets that.
    ///
    /// # Panics
    /// If it ends without.
    pub fn await_word(&mut self) {
        let stdout = self.0.stdout.as_mut().expect("its stdout is a pipe");
        stdout.read_exact(&mut [0]).expect("it says something");
    }

    /// Its stdout, which is a pipe.
    ///
    /// # Panics
    /// If it is none, or was taken before.
    pub fn take_stdout(&mut self) -> ChildStdout {
        self.0.stdout.take().expect("its stdout is a pipe")
    }

    /// Lets it see the end of its stdin.
    pub fn close_stdin(&mut self) {
        self.0.stdin = None;
    }

    /// How it ended, if it has.
    ///
    /// # Panics
    /// If the system does not say.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.0.try_wait().expect("it is our child")
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// If it does not end within `limit`.
    pub fn wait(&mut self, limit: Duration) -> ExitStatus {
        crate::patience::within(limit, "the end of a process", || self.ended())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // A stopped process dies of SIGKILL as well.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs a command to its end, with `input` on its stdin.
///
/// # Panics
/// If it cannot be started, or does not end within `limit`.
#[must_use]
pub fn run(mut command: Command, input: &str, limit: Duration) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let words = format!("{command:?}");
    let mut child = Process::start(command);
    if let Some(mut stdin) = child.0.stdin.take() {
        // A program that does not read it may have ended.
        let _ = stdin.write_all(input.as_bytes());
    }
    let stdout = child.0.stdout.take().map(collect);
    let stderr = child.0.stderr.take().map(collect);
    let began = Instant::now();
    let status = loop {
        if let Some(status) = child.ended() {
            break status;
        }
        assert!(began.elapsed() < limit, "it does not end within {limit:?}: {words}");
        thread::sleep(Duration::from_millis(2));
    };
    let text = |reader: Option<thread::JoinHandle<Vec<u8>>>| {
        reader.and_then(|reader| reader.join().ok()).unwrap_or_default()
    };
    Output { status, stdout: text(stdout), stderr: text(stderr) }
}

/// What it wrote to stderr.
#[must_use]
pub fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The lines of a daemon's stderr that are no log.
#[must_use]
pub fn said(output: &Output) -> Vec<String> {
    let told = told(output);
    let ours = told.lines().filter(|line| line.starts_with("securid-sessiond: "));
    ours.map(str::to_owned).collect()
}

fn collect(mut from: impl Read + Send + 'static) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = from.read_to_end(&mut bytes);
        bytes
    })
}
