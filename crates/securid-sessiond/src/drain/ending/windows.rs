//! Ctrl-C and Ctrl-Break. What else ends a program of the console, as its window does, leaves nobody who would see the line.

use std::future::pending;

use tokio::signal::windows::{ctrl_break, ctrl_c};

/// What C calls the one that Ctrl-C stands for (SIGINT).
const INTERRUPT: i32 = 2;

/// Catches them from now on, and waits for the first, which is an interrupt in any case.
pub(super) fn signal_to_end() -> impl Future<Output = i32> {
    let (by_c, by_break) = (ctrl_c(), ctrl_break());
    async {
        let by_c = async {
            match by_c {
                Ok(mut caught) => caught.recv().await,
                Err(_) => pending().await,
            }
        };
        let by_break = async {
            match by_break {
                Ok(mut caught) => caught.recv().await,
                Err(_) => pending().await,
            }
        };
        tokio::select! {
            _ = by_c => INTERRUPT,
            _ = by_break => INTERRUPT,
        }
    }
}
