//! A signal to end, while a bar is on the terminal.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use securid_progress::{CLEARING, end_by};
use tokio::task::JoinSet;
use tokio::time::sleep;

#[cfg(unix)]
use unix::signal_to_end;
#[cfg(windows)]
use windows::signal_to_end;

/// While it is there, a signal that is to end this process does so with a clear line: whoever draws a bar looks here,
/// and where nobody does, it ends a moment later.
pub(super) struct Ending {
    pub(super) by: Arc<AtomicUsize>,
    /// Ends with it.
    _waiting: JoinSet<()>,
}

impl Ending {
    /// From now on. A signal that cannot be caught ends the process at once.
    pub(super) fn catch() -> Self {
        let by = Arc::<AtomicUsize>::default();
        let (told, signal) = (Arc::clone(&by), signal_to_end());
        let mut waiting = JoinSet::new();
        waiting.spawn(async move {
            let number = signal.await;
            told.store(number.unsigned_abs() as usize, Ordering::SeqCst);
            sleep(2 * CLEARING).await;
            end_by(number);
        });
        Self { by, _waiting: waiting }
    }
}
