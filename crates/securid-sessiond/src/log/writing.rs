//! What was told and is not written yet, and the thread that writes it.

use std::collections::VecDeque;
use std::sync::Arc;

use securid_worker::{Work, Worker};

use super::{Output, Told};

/// How many lines wait where nobody takes them, before further ones are dropped: some 3 MB, and minutes of a busy
/// daemon's log.
pub(super) const WAITING: usize = 10_000;

/// What waits.
#[derive(Default)]
pub(super) struct Lines {
    waiting: VecDeque<Told>,
    /// How many were dropped so far.
    dropped: usize,
}

/// Has something written that is to be in one piece, and does not wait. It is dropped if too much waits already, or if
/// there is no thread to be had.
pub(super) fn tell(worker: &Arc<Worker<Output>>, line: Told) {
    worker.hand(|lines, thread| {
        if thread.is_ok() && lines.waiting.len() < WAITING {
            lines.waiting.push_back(line);
        } else {
            lines.dropped = lines.dropped.saturating_add(1);
        }
    });
}

impl Work for Output {
    type Queue = Lines;
    /// A line, and how many had been dropped when it was taken.
    type Job = (Told, usize);

    fn take(lines: &mut Lines) -> Option<Self::Job> {
        let Some(line) = lines.waiting.pop_front() else {
            // The room that a crowd of lines took is not kept.
            lines.waiting = VecDeque::new();
            return None;
        };
        Some((line, lines.dropped))
    }

    fn work(&mut self, (line, dropped): Self::Job, _: &Worker<Self>) {
        self.write(&line, dropped);
    }
}
