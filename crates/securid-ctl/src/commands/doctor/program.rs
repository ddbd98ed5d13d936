//! What the daemon's program finds: it has the config, a keyring and TLS.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    process::Stdio,
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

use securid_ipc::checks::CheckView;

use crate::{Context, launch, program::Started};

/// How long it may take. It gives itself 20 s, and what is beyond that is for a machine that is busy.
const WITHIN: Duration = Duration::from_secs(26);

/// How much of what it says is read, in bytes: some thousand checks.
const MOST: u64 = 1024 * 1024;

/// The exit status of a program that does not know what it was asked for.
const USAGE: i32 = 2;

/// The program at work.
pub(super) struct Program {
    program: Option<Started>,
    lines: Option<Receiver<String>>,
    until: Instant,
    /// Why there is none.
    trouble: Option<String>,
    /// Whether it has said anything.
    spoke: bool,
}

impl Program {
    pub(super) fn start(context: &Context) -> Self {
        let mut command = context.daemon_command();
        command.args(["--log", "off", "--doctor", "--json"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let until = Instant::now() + WITHIN;
        match Started::spawn(&mut command) {
            Ok(mut program) => {
                let lines = program.child.stdout.take().map(|out| {
                    let (line, lines) = channel();
                    thread::spawn(move || {
                        let read = BufReader::new(out.take(MOST)).lines().map_while(Result::ok);
                        // Nobody may listen any more.
                        for said in read {
                            let _ = line.send(said);
                        }
                    });
                    lines
                });
                Self { program: Some(program), lines, until, trouble: None, spoke: false }
            }
            Err(error) => {
                let trouble = Some(format!("cannot be run: {error}"));
                Self { program: None, lines: None, until, trouble, spoke: false }
            }
        }
    }

    /// Its checks, each as it comes; last of all what is wrong with the program itself.
    pub(super) fn checks(&mut self) -> impl Iterator<Item = CheckView> + '_ {
        std::iter::from_fn(|| self.next())
    }

    fn next(&mut self) -> Option<CheckView> {
        while let Some(lines) = &self.lines {
            let left = self.until.saturating_duration_since(Instant::now());
            let Ok(line) = lines.recv_timeout(left) else {
                self.lines = None;
                self.trouble = self.end();
                break;
            };
            self.spoke = true;
            // What makes no sense is of another version.
            if let Ok(check) = serde_json::from_str(&line) {
                return Some(check);
            }
        }
        let trouble = self.trouble.take()?;
        let about = launch::program().display().to_string();
        let next = "Install securid-sessiond and securid-ctl of one version into one folder; securid-sessiond \
                    --doctor says more.";
        Some(CheckView::wrong("program", &about, trouble).then(next))
    }

    /// Why it has not found out what it should.
    fn end(&mut self) -> Option<String> {
        let mut program = self.program.take()?;
        // Its output has ended, or its time.
        let ended = loop {
            match program.child.try_wait() {
                Ok(Some(status)) => break Some(status),
                Ok(None) if Instant::now() < self.until => thread::sleep(Duration::from_millis(5)),
                _ => break None,
            }
        };
        let Some(status) = ended else {
            program.kill();
            return Some(format!("has not ended within {} s", WITHIN.as_secs()));
        };
        match status.code() {
            Some(0 | 1) if self.spoke => None,
            Some(USAGE) => Some("is too old: it does not know --doctor".to_owned()),
            _ => Some(format!("found nothing out: {status}")),
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if let Some(program) = &mut self.program {
            program.kill();
        }
    }
}
