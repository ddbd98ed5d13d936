//! A program that asks for the password in our place, a dialog on the desktop for instance: it gets the prompt as its
//! argument, and says the password on its standard output.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

use std::{
    ffi::OsStr,
    process::{Command, Stdio},
    sync::mpsc::channel,
    thread,
    time::{Duration, Instant},
};

use securid_ipc::framing::REQUEST_LIMIT;
use securid_secret::{Secret, SecretBytes};

use crate::{
    failure::Failure,
    interrupt::{Caught, ends, interrupted, obey},
    program::{LAST_WORDS, STEP, Started, apart},
    secrets::{not_empty, without_mark},
};
use system::waits_for_terminal;

/// How long a person may take. To find a password takes minutes at most, and a dialog that nobody answers must not
/// keep a hook at log-on for ever.
const ANSWER_WITHIN: Duration = Duration::from_secs(5 * 60);

/// Runs it, in a process group of its own, so that all of it ends with us.
///
/// # Errors
/// If it gives no password; Ctrl-C.
pub(crate) fn ask(program: &OsStr, prompt: &str, caught: &mut Caught) -> Result<Secret, Failure> {
    let name = program.to_string_lossy();
    let mut command = Command::new(program);
    // A program that `exec` runs may have started us.
    command.arg(prompt).env_remove("SECURID_TOKEN");
    apart(command.stdin(Stdio::null()).stdout(Stdio::piped()));
    let mut asking = Started::spawn(&mut command)
        .map_err(|error| none(format!("cannot run {name}: {error}")))?;
    let (done, said) = channel();
    if let Some(out) = asking.child.stdout.take() {
        thread::spawn(move || {
            // Nobody may listen any more.
            let _ = done.send(SecretBytes::read_from(out, REQUEST_LIMIT));
        });
    }
    let until = Instant::now() + ANSWER_WITHIN;
    let status = loop {
        for signal in caught.pending() {
            if ends(signal) {
                asking.kill();
            }
            obey(signal).map_err(|_| interrupted())?;
        }
        match asking.child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if Instant::now() < until && !waits_for_terminal(&asking.child) => {
                thread::sleep(STEP);
            }
            waited => {
                let wants_terminal = waits_for_terminal(&asking.child);
                asking.kill();
                let why = match waited {
                    Err(error) => error.to_string(),
                    Ok(_) if wants_terminal => {
                        "it asks on the terminal, which is not its own".to_owned()
                    }
                    Ok(_) => format!("nobody has answered for {} s", ANSWER_WITHIN.as_secs()),
                };
                return Err(none(format!("{name}: {why}")));
            }
        }
    };
    let said = said.recv_timeout(LAST_WORDS);
    if let Ok(Ok(said)) = &said
        && said.len() == REQUEST_LIMIT
    {
        return Err(none(format!("what {name} says is far too long")));
    }
    if !status.success() {
        return Err(none(format!("{name} ended with {status}")));
    }
    let said = said.map_err(|_| none(format!("something that {name} has started goes on")))?;
    let said = said.map_err(|error| none(format!("cannot read from {name}: {error}")))?;
    first_line(&said, &name)
}

fn first_line(said: &[u8], name: &str) -> Result<Secret, Failure> {
    let line = said.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let text = std::str::from_utf8(line).map_err(|_| none(format!("{name} says no UTF-8")))?;
    not_empty(Secret::from(without_mark(text)), &format!("password from {name}"))
}

fn none(why: String) -> Failure {
    Failure::usage(format!("no password was given: {why}")).with_hint("Nothing was sent.")
}
