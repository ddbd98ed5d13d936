//! A panic ends the process: a program of which a part is missing helps nobody.
//!
//! Left alone, a panic ends its thread, or even only its task, where the build unwinds, and the process
//! where it aborts. With this, every build does the same, and says so without repeating what it must not.

#[cfg(unix)]
mod unix;
#[cfg(unix)]
use unix as system;
#[cfg(windows)]
mod windows;
#[cfg(windows)]
use windows as system;

use std::{
    panic::{self, PanicHookInfo},
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

pub use system::tell_on_stderr;

/// The exit status after a panic (sysexits' EX_SOFTWARE).
pub const INTERNAL_ERROR: i32 = 70;

/// How long it may take to say what happened: a log's queue, then the words themselves. Whoever hangs
/// beyond it would be the half-dead program that nobody wants.
const TOLD_WITHIN: Duration = Duration::from_secs(2);

/// Ends the process with [`INTERNAL_ERROR`] at the first panic of any thread, after `tell` was given a line
/// (without its end) that says where, or [`TOLD_WITHIN`] has passed. To be called first of all.
///
/// What a panic says besides is told only if it stands in the program's text: an `expect` repeats the
/// value that it did not expect, and that could be a token.
pub fn end_the_process(program: &'static str, tell: fn(&str)) {
    panic::set_hook(Box::new(move |panic| {
        let words = words(program, panic);
        tell_once(move || tell(&words));
        // Nothing is run on the way out: it could wait for what the thread that panicked holds.
        system::exit_at_once(INTERNAL_ERROR);
    }));
}

fn words(program: &str, panic: &PanicHookInfo<'_>) -> String {
    let place = panic.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
    let thread = thread::current();
    let thread = thread.name().unwrap_or("without a name");
    let what = panic.payload().downcast_ref::<&'static str>();
    let what = what.map(|what| format!(": {what}")).unwrap_or_default();
    format!("{program}: internal error, please report it: panic at {place}, thread {thread}{what}")
}

/// Tells it in a thread of its own, which may hang. Of several panics at once the first is told.
fn tell_once(tell: impl FnOnce() + Send + 'static) {
    static TELLING: AtomicBool = AtomicBool::new(false);
    if TELLING.swap(true, Ordering::SeqCst) {
        // The other one ends the process, sooner than this.
        thread::sleep(TOLD_WITHIN * 2);
        return;
    }
    let (done, told) = mpsc::channel();
    let telling = thread::Builder::new().spawn(move || {
        tell();
        let _ = done.send(());
    });
    // Without a thread only the exit status tells it.
    if telling.is_ok() {
        let _ = told.recv_timeout(TOLD_WITHIN);
    }
}
