//! `doctor`: looks at everything that sessions need, each thing with what to do about it.
//!
//! - `daemon`: the socket, and the daemon behind it;
//! - `program`: what the daemon's program finds, which knows config, keyring, records and servers;
//! - `units`: what the system has of us.

mod daemon;
mod program;
mod units;

use std::thread;

use securid_ipc::checks::{CheckState, CheckView, ChecksView};

use crate::{
    Context,
    failure::{FAILED, Failure},
    interrupt::Interrupt,
    screen::Tone,
    words::DOCTOR,
};
use program::Program;

/// Look at everything that sessions need, and say what is wrong and what to do about it
#[derive(Debug, clap::Args)]
#[command(long_about = DOCTOR)]
pub(crate) struct Args {}

impl Args {
    pub(crate) fn run(self, context: &Context) -> Result<u8, Failure> {
        let _interrupt = Interrupt::arm()?;
        let mut program = Program::start(context);
        let checks = thread::scope(|scope| -> Result<_, Failure> {
            // Each may hang: they do so side by side.
            let daemon = scope.spawn(|| daemon::look(context));
            let units = scope.spawn(|| units::look(context));
            let mut told = Told { context, checks: Vec::new() };
            // The config comes first, and all else after the daemon.
            let mut found = program.checks();
            let mut next = found.next();
            while let Some(check) = next.take_if(|check| check.check == "config") {
                told.tell([check])?;
                next = found.next();
            }
            // One that has panicked has ended the process.
            told.tell(daemon.join().unwrap_or_default())?;
            for check in next.into_iter().chain(found) {
                told.tell([check])?;
            }
            told.tell(units.join().unwrap_or_default())?;
            Ok(told.checks)
        })?;
        let all = ChecksView::from(checks);
        if context.screen.json {
            context.screen.json(&all)?;
        }
        Ok(if all.fine { 0 } else { FAILED })
    }
}

/// What was found so far, and shown.
struct Told<'a> {
    context: &'a Context,
    checks: Vec<CheckView>,
}

impl Told<'_> {
    fn tell(&mut self, checks: impl IntoIterator<Item = CheckView>) -> Result<(), Failure> {
        let screen = &self.context.screen;
        for check in checks {
            if !screen.json {
                screen.text(&check.text(|word, state| screen.paint(word, tone(state))))?;
            }
            self.checks.push(check);
        }
        Ok(())
    }
}

fn tone(state: CheckState) -> Tone {
    match state {
        CheckState::Fine => Tone::Good,
        CheckState::Wrong => Tone::Bad,
        CheckState::Unknown => Tone::Pending,
    }
}

/// A failure as something that is wrong.
fn of_failure(check: &str, about: &str, failure: &Failure) -> CheckView {
    let check = CheckView::wrong(check, about, failure.message());
    CheckView { next: failure.hint().map(str::to_owned), ..check }
}
