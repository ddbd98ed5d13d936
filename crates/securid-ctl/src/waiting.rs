//! Saying what is waited for, to a person who would else wonder.

use std::{
    io::{IsTerminal as _, stderr},
    sync::mpsc::{RecvTimeoutError, channel},
    thread,
    time::Duration,
};

use crate::{Context, screen::complain};

/// What is over sooner is not worth a line. It takes some tenths of a second mostly.
const PATIENCE: Duration = Duration::from_secs(2);

/// Does the work, and says after two seconds of it what it waits for: to a person alone.
pub(crate) fn waiting<T>(context: &Context, what: &str, work: impl FnOnce() -> T) -> T {
    if context.screen.json || !stderr().is_terminal() {
        return work();
    }
    thread::scope(|scope| {
        let (going_on, is_going_on) = channel::<()>();
        scope.spawn(move || {
            if is_going_on.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                complain(&format!("securid-ctl: waiting for {what} ..."));
            }
        });
        let done = work();
        drop(going_on);
        done
    })
}
