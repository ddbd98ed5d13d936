//! A process of ours: watched and ended by its own number, with a bound on every wait; and how it ended.

use std::io::{Read, Write};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::patience::{PATIENCE, within};
use crate::system;

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

    /// Asks it to end, as the system asks programs: by SIGTERM, or by a message to its window.
    pub fn ask_to_end(&self) {
        system::ask_to_end(&self.0);
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
        within(limit, "the end of a process", || self.ended())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
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
    let words = format!("the end of {command:?}");
    let mut child = Process(command.spawn().unwrap_or_else(|e| panic!("{command:?}: {e}")));
    if let Some(mut stdin) = child.0.stdin.take() {
        // A program that does not read it may have ended.
        let _ = stdin.write_all(input.as_bytes());
    }
    let stdout = child.0.stdout.take().map(collect);
    let stderr = child.0.stderr.take().map(collect);
    let status = within(limit, &words, || child.ended());
    let read = |reader: Option<Receiver<Vec<u8>>>| {
        let reader = reader.expect("it was just made");
        // A program that goes on, which it has started, is not to hold them open.
        reader.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("{words}: its output stays open"))
    };
    Output { status, stdout: read(stdout), stderr: read(stderr) }
}

/// With what a program has ended.
///
/// # Panics
/// If by a signal.
#[must_use]
pub fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or_else(|| panic!("{output:?}"))
}

/// What it wrote.
#[must_use]
pub fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What it wrote there.
#[must_use]
pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// What it wrote, as JSON.
///
/// # Panics
/// If it is none.
#[must_use]
pub fn json_of(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {output:?}"))
}

fn collect(mut from: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = from.read_to_end(&mut bytes);
        let _ = sender.send(bytes);
    });
    receiver
}
