//! Commands on standard input, and the signals that end the program.

use std::io::{self, BufRead, Write};
use std::thread;

use securid_simulator::{Fault, Simulator, parse_duration};
use tokio::runtime::{self, Runtime};
use tokio::sync::mpsc;

use crate::system::{EndSignal, end_signal};

/// What the program listens to.
pub(crate) struct Console {
    runtime: Runtime,
    lines: mpsc::UnboundedReceiver<String>,
    end: EndSignal,
}

impl Console {
    /// Takes over standard input and the signals: from here on they end the program in good order.
    pub(crate) fn open() -> io::Result<Self> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let end = runtime.block_on(async { end_signal() })?;
        Ok(Self { runtime, lines: lines_of_stdin()?, end })
    }

    /// Carries out lines of standard input until `quit` or a signal. The end of input ends nothing:
    /// a server started in the background has none.
    pub(crate) fn run(mut self, simulator: &Simulator) -> io::Result<()> {
        self.runtime.block_on(async {
            loop {
                // Once input is over, only the signal is waited for.
                let line = tokio::select! {
                    signalled = &mut self.end => return signalled,
                    Some(line) = self.lines.recv() => line,
                };
                match carry_out(simulator, line.trim()) {
                    Ok(Some(answer)) => writeln!(io::stdout(), "{answer}")?,
                    Ok(None) => return Ok(()),
                    Err(why) => eprintln!("securid-simulator: {why}"),
                }
            }
        })
    }
}

/// The answer to a line; `None` if it is to end the program.
fn carry_out(simulator: &Simulator, line: &str) -> Result<Option<String>, String> {
    let (command, argument) = line.split_once(' ').unwrap_or((line, ""));
    let argument = argument.trim();
    let answer = match (command, argument) {
        ("quit", "") => return Ok(None),
        ("truth", "") => serde_json::to_string(&simulator.truth()).map_err(|e| e.to_string())?,
        ("fault", setting) => {
            let (fault, command) = setting.split_once(' ').unwrap_or((setting, ""));
            let fault = Fault::parse_setting(fault).map_err(|error| error.to_string())?;
            match command.trim() {
                "" => simulator.set_fault(fault),
                command => simulator.set_fault_for(command, fault),
            }
            "ok".to_owned()
        }
        ("latency", latency) => {
            simulator.set_latency(parse_duration(latency).map_err(|error| error.to_string())?);
            "ok".to_owned()
        }
        ("issue", username) if !username.is_empty() => simulator.issue(username),
        ("expire", token) if !token.is_empty() => {
            if !simulator.expire(token) {
                return Err("no such live token".to_owned());
            }
            "ok".to_owned()
        }
        _ => return Err("expected fault, latency, issue, expire, truth or quit".to_owned()),
    };
    Ok(Some(answer))
}

/// A thread, since reading standard input cannot be cancelled: it is left behind at the end.
fn lines_of_stdin() -> io::Result<mpsc::UnboundedReceiver<String>> {
    let (sender, receiver) = mpsc::unbounded_channel();
    thread::Builder::new().name("stdin".to_owned()).spawn(move || {
        for line in io::stdin().lock().lines() {
            let Ok(line) = line else { return };
            if sender.send(line).is_err() {
                return;
            }
        }
    })?;
    Ok(receiver)
}
