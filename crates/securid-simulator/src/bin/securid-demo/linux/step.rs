//! One line typed, and what is announced to come of it.

use std::fs::{self, File};
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use securid_simulator::Truth;

use crate::linux::daemon::LOOK;
use crate::linux::surroundings::Surroundings;
use crate::linux::trouble::Trouble;

/// No command of the demo waits for longer: the longest is a `logout` of 10 s.
const ENDED_WITHIN: Duration = Duration::from_secs(30);

/// What is typed, and what is announced to come of it.
pub(crate) struct Step<'a> {
    pub(crate) typed: &'a str,
    exit: i32,
    /// For each of these, some line of the output has all its words.
    says: Vec<&'a [&'a str]>,
    /// How many tokens the server accepts afterwards.
    alive: usize,
    /// How long it may take until all this is so; the line is typed again until then.
    pub(crate) within: Duration,
}

/// What came of it.
pub(crate) struct Ran {
    pub(crate) exit: i32,
    /// Standard output and standard error, as they came.
    pub(crate) output: String,
}

impl<'a> Step<'a> {
    /// A line after which the server is to have so many live tokens; it is to end with 0.
    pub(crate) fn new(typed: &'a str, alive: usize) -> Self {
        Self { typed, exit: 0, says: Vec::new(), alive, within: Duration::ZERO }
    }

    pub(crate) fn exits(self, exit: i32) -> Self {
        Self { exit, ..self }
    }

    /// One line of the output has all these words.
    pub(crate) fn says(mut self, words: &'a [&'a str]) -> Self {
        self.says.push(words);
        self
    }

    pub(crate) fn within(self, seconds: u64) -> Self {
        Self { within: Duration::from_secs(seconds), ..self }
    }

    /// Whether all came as announced.
    pub(crate) fn compare(&self, ran: &Ran, truth: &Truth) -> Result<(), Trouble> {
        if ran.exit != self.exit {
            return Err(Trouble::differs(format!("exit {}", self.exit), format!("{}", ran.exit)));
        }
        for words in &self.says {
            let said = |line: &str| words.iter().all(|word| line.contains(word));
            if !ran.output.lines().any(said) {
                let expected = format!("a line with “{}”", words.join(" … "));
                return Err(Trouble::differs(expected, "the above"));
            }
        }
        if truth.tokens.iter().any(|issued| ran.output.contains(&issued.token)) {
            return Err(Trouble::differs("no token in any output", "one above"));
        }
        expect_alive(self.alive, truth)
    }

    /// Types it once into a shell.
    pub(crate) fn run(
        &self,
        surroundings: &Surroundings,
        interrupted: &AtomicBool,
    ) -> Result<Ran, Trouble> {
        let output = File::create(surroundings.path(OUTPUT))?;
        let mut shell = surroundings.command("sh")?;
        shell.args(["-c", self.typed]).stdout(output.try_clone()?).stderr(output);
        let status = wait(shell.spawn()?, interrupted)?;
        let output = fs::read(surroundings.path(OUTPUT))?;
        Ok(Ran {
            exit: status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default()),
            output: String::from_utf8_lossy(&output).into_owned(),
        })
    }
}

/// A file rather than a pipe: both streams keep their order, and nobody has to read meanwhile.
const OUTPUT: &str = "output";

/// Whether the server accepts so many tokens.
pub(crate) fn expect_alive(expected: usize, truth: &Truth) -> Result<(), Trouble> {
    let alive = truth.alive().len();
    if alive == expected {
        return Ok(());
    }
    Err(Trouble::differs(format!("{expected} alive at the server"), alive.to_string()))
}

fn wait(mut child: Child, interrupted: &AtomicBool) -> Result<ExitStatus, Trouble> {
    let deadline = Instant::now() + ENDED_WITHIN;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        let trouble = if interrupted.load(Ordering::Relaxed) {
            Trouble::Interrupted
        } else if Instant::now() > deadline {
            Trouble::differs(format!("an end within {ENDED_WITHIN:?}"), "none")
        } else {
            thread::sleep(LOOK);
            continue;
        };
        // Its group is its own, and it is not reaped yet: nobody else is hit.
        kill_process_group(Pid::from_child(&child), Signal::KILL).map_err(io::Error::from)?;
        child.wait()?;
        return Err(trouble);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use securid_simulator::{Options, Simulator};

    use super::*;

    #[test]
    fn whatever_differs_is_noticed() {
        let simulator = Simulator::start(Options::default()).unwrap();
        let token = simulator.issue("alice");
        let truth = simulator.truth();
        let ran = |exit, output: &str| Ran { exit, output: output.to_owned() };
        let step = || Step::new("", 1).exits(75).says(&["main", "revoking"]).says(&["short"]);

        assert!(step().compare(&ran(75, "main  revoking\nshort"), &truth).is_ok());
        for (differs, why) in [
            (ran(0, "main  revoking\nshort"), "exit"),
            (ran(75, "main  active\nshort  revoking"), "two lines"),
            (ran(75, "main  revoking"), "one line missing"),
            (ran(75, &format!("main  revoking\nshort {token}")), "a token"),
        ] {
            assert!(step().compare(&differs, &truth).is_err(), "{why}");
        }
        simulator.expire(&token);
        let dead = step().compare(&ran(75, "main  revoking\nshort"), &simulator.truth());
        assert_eq!(dead.unwrap_err().to_string(), "DIFFERS: expected 1 alive at the server, got 0");
    }
}
