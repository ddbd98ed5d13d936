//! The demo where it can be had: a Linux machine, for it shows the kernel's keyring.
//!
//! - `story`: what is shown, from the first login to the last stop;
//! - `step`: one line typed, and what is announced to come of it;
//! - `stage`: the folder, the server and the daemon, and how they go again;
//! - `surroundings`: the folder's files, and the environment in which programs run;
//! - `daemon`: the daemon's process; `keyring`: which store it may use here;
//! - `programs`: building both programs;
//! - `screen`, `trouble`: what a person sees.

mod daemon;
mod keyring;
mod programs;
mod screen;
mod stage;
mod step;
mod story;
mod surroundings;
mod trouble;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

use crate::linux::screen::Screen;
use crate::linux::stage::Stage;
use crate::linux::trouble::Trouble;

/// The whole of it; the program's exit status.
pub(crate) fn walk() -> ExitCode {
    let screen = Screen::new();
    match run(&screen) {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => {
            // Who does not read the output cannot be told that it is not read.
            let _ = screen.trouble(&trouble);
            ExitCode::from(trouble.exit_code())
        }
    }
}

fn run(screen: &Screen) -> Result<(), Trouble> {
    let interrupted = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        flag::register(signal, Arc::clone(&interrupted))?;
    }
    screen.tell("building securid-sessiond and securid-ctl …")?;
    // Cargo hears of Ctrl-C too, and then fails.
    let programs = programs::build().map_err(|trouble| {
        if interrupted.load(Ordering::Relaxed) { Trouble::Interrupted } else { trouble }
    })?;

    let started = Instant::now();
    let mut stage = Stage::set(screen, programs, interrupted)?;
    if let Err(trouble) = story::play(&mut stage) {
        if !matches!(trouble, Trouble::Interrupted) {
            let log = stage.surroundings().log_end();
            screen.tell(&format!("\nThe daemon's log ends:\n{log}\n"))?;
        }
        return Err(trouble);
    }
    let (steps, truth) = (stage.steps(), stage.simulator().truth());
    drop(stage);
    screen.good(&format!(
        "{steps} steps in {:.0} s, each as announced. Of {} tokens, {} are alive at the server.",
        started.elapsed().as_secs_f32(),
        truth.tokens.len(),
        truth.alive().len(),
    ))?;
    Ok(())
}
