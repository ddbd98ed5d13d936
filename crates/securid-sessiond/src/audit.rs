//! The audit: what became of each session, a line an event, for somebody else to check.
//!
//! - `line`: an event as JSON, and as an entry of the journal
//! - `place`: where lines go; `file`: a file, its checks and its rotation
//!
//! A thread beside writes, because a disk or a journal may hang, and nothing may wait for it but
//! the removal of records whose end it has not got yet ([`Audit::written`]): from such a record the next start tells
//! the end once more.

mod file;
mod line;
mod place;

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use securid_store::crash;
use securid_worker::{Work, Worker};
use tokio::sync::watch;
use tokio::time::timeout;
use tracing::{info, warn};

use crate::config::AuditTarget;

pub(crate) use file::check;
pub(crate) use line::{Details, Happening, Line, Subject};
use place::Place;

/// How many lines wait while they cannot be written, before further ones are lost: a daemon holds 10,000
/// sessions at most, and one that starts and drains has four lines for each. Some 15 MB.
const WAITING: usize = 40_000;

/// How many lines are written at once, so that one sync does for many ends: some 300 KB.
const BATCH: usize = 1024;

/// How soon what could not be written is tried again; then twice as long each time.
const AGAIN: Duration = Duration::from_secs(1);

/// At most so long, as with errands to a disk: what is wrong there is mended by a person.
const AGAIN_MAX: Duration = Duration::from_secs(30);

/// While the daemon ends, which waits for [`Audit::finish`] alone.
const AGAIN_AT_END: Duration = Duration::from_millis(100);

/// How long the removal of a record waits for the line of its end; then it is tried again later. Less
/// than the disk's 5 s, because a daemon that stops waits for it too.
const WRITTEN_WITHIN: Duration = Duration::from_secs(2);

/// From when on a write that does not come back is told of; the disk's deadline.
const HANGS_AFTER: Duration = Duration::from_secs(5);

/// The way to the audit, cheap to clone.
#[derive(Clone)]
pub(crate) struct Audit {
    /// None where nothing is audited.
    shared: Option<Shared>,
}

#[derive(Clone)]
struct Shared {
    worker: Arc<Worker<Writer>>,
    progress: watch::Receiver<Progress>,
}

/// What the thread writes with.
struct Writer {
    place: Place,
    progress: watch::Sender<Progress>,
}

#[derive(Default)]
struct Queue {
    /// In the order in which they came; those that are being written as well.
    lines: VecDeque<Line>,
    /// How many ever came in here.
    handed: u64,
    /// How many found no room, and of how many of these no line tells so far.
    lost: u64,
    lost_untold: u64,
    /// Why the last write failed, and how long to wait before the next one.
    trouble: Option<String>,
    again: Option<Duration>,
    writing_since: Option<Instant>,
    /// The daemon ends.
    ending: bool,
}

/// How far the thread came.
#[derive(Debug, Clone, Copy, Default)]
struct Progress {
    /// How many lines are where they belong, synced as far as they have to be.
    written: u64,
    failing: bool,
}

/// A line that was taken: its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Handed(u64);

impl Audit {
    /// What is wrong with a file shows in [`Audit::problems`].
    pub(crate) fn new(target: &AuditTarget) -> Self {
        let shared = Place::of(target).map(|place| {
            let (progress, seen) = watch::channel(Progress::default());
            let worker = Worker::new("audit", Queue::default(), Writer { place, progress });
            Shared { worker, progress: seen }
        });
        Self { shared }
    }

    /// Whether anything is audited.
    pub(crate) fn is_on(&self) -> bool {
        self.shared.is_some()
    }

    /// Hands a line over and does not wait; `None` if there is no room for it.
    pub(crate) fn hand(&self, line: Line) -> Option<Handed> {
        let shared = self.shared.as_ref()?;
        shared.worker.hand(|queue, thread| {
            queue.note_thread(thread);
            queue.take(line)
        })
    }

    /// Waits, for at most [`WRITTEN_WITHIN`], until a line is where it belongs. Where nothing is
    /// audited, it is.
    ///
    /// # Errors
    /// If it is not, or there was no room for it.
    pub(crate) fn written(
        &self,
        line: Option<Handed>,
    ) -> impl Future<Output = Result<(), String>> + Send + use<> {
        let progress = self.shared.as_ref().map(|shared| {
            // There may have been no thread to be had for it.
            shared.worker.hand(Queue::note_thread);
            shared.progress.clone()
        });
        async move {
            let Some(mut progress) = progress else { return Ok(()) };
            let is_written = |now: &Progress| line.is_some_and(|line| now.written >= line.0);
            let known = progress.wait_for(|now| is_written(now) || now.failing || line.is_none());
            match timeout(WRITTEN_WITHIN, known).await {
                Ok(Ok(now)) if is_written(&now) => Ok(()),
                _ => Err("its end is not in the audit yet".to_owned()),
            }
        }
    }

    /// Whether nobody knows when lines will be written again.
    pub(crate) fn is_failing(&self) -> bool {
        self.shared.as_ref().is_some_and(|it| it.worker.look(|queue| queue.wrong().is_some()))
    }

    /// What is wrong, for people.
    pub(crate) fn problems(&self) -> Vec<String> {
        self.shared.as_ref().map_or_else(Vec::new, |it| it.worker.look(|queue| queue.problems()))
    }

    /// Lets the thread write what waits, for at most so long. Nothing may be handed over afterwards.
    pub(crate) fn finish(&self, within: Duration) {
        let Some(Shared { worker, .. }) = &self.shared else { return };
        // Lines that found no thread may find one now.
        worker.hand(|queue, thread| {
            queue.ending = true;
            queue.note_thread(thread);
        });
        worker.settle(within);
        let lines = worker.look(|queue| queue.lines.len());
        if lines > 0 {
            warn!(lines, "not in the audit: what is recorded is told again at the next start");
        }
    }
}

impl Work for Writer {
    type Queue = Queue;
    /// How long to wait before, where the last try failed.
    type Job = Option<Duration>;

    /// What could not be synced is tried again without a line that waits.
    fn take(queue: &mut Queue) -> Option<Self::Job> {
        (!queue.lines.is_empty() || queue.again.is_some()).then_some(queue.again)
    }

    fn work(&mut self, pause: Self::Job, worker: &Worker<Self>) {
        if let Some(pause) = pause {
            worker.pause(pause, |queue| queue.ending);
            if worker.look(|queue| queue.ending) {
                thread::sleep(pause.min(AGAIN_AT_END));
            }
        }
        let batch: Vec<_> = worker.look(|queue| {
            queue.writing_since = Some(Instant::now());
            queue.lines.iter().take(BATCH).cloned().collect()
        });
        crash::at_work("audit");
        let (lines, result) = self.place.write(&batch);
        let (failing, unsynced) = (result.is_err(), self.place.is_unsynced());
        let written = worker.look(|queue| queue.note(lines, result));
        self.progress.send_modify(|progress| {
            progress.failing = failing;
            if !unsynced {
                progress.written = written;
            }
        });
    }
}

impl Queue {
    /// Where lines were lost, a line says how many.
    fn take(&mut self, line: Line) -> Option<Handed> {
        let gap = (self.lost_untold > 0).then(|| Line::gap(line.at, self.lost_untold));
        if self.lines.len() + usize::from(gap.is_some()) >= WAITING {
            self.lost += 1;
            self.lost_untold += 1;
            return None;
        }
        self.lost_untold = 0;
        for line in gap.into_iter().chain([line]) {
            self.lines.push_back(line);
            self.handed += 1;
        }
        Some(Handed(self.handed))
    }

    /// So many of them were written. Gives back how many ever were.
    fn note(&mut self, lines: usize, result: Result<(), String>) -> u64 {
        self.writing_since = None;
        self.lines.drain(..lines);
        match result {
            Ok(()) => {
                self.again = None;
                if self.trouble.take().is_some() {
                    info!("the audit is written again");
                }
            }
            Err(why) => {
                self.again = Some(self.again.map_or(AGAIN, |pause| (pause * 2).min(AGAIN_MAX)));
                self.trouble_with(why);
            }
        }
        self.handed.saturating_sub(self.lines.len() as u64)
    }

    fn note_thread(&mut self, thread: io::Result<()>) {
        if let Err(error) = thread {
            self.trouble_with(format!("there is no thread for the audit to be had: {error}"));
        }
    }

    fn trouble_with(&mut self, why: String) {
        if self.trouble.as_ref() != Some(&why) {
            warn!("{why}");
        }
        self.trouble = Some(why);
    }

    fn problems(&self) -> Vec<String> {
        let waiting = self.lines.len();
        let wrong = self.wrong().map(|why| format!("{why} (lines that wait: {waiting})"));
        let lost = (self.lost > 0)
            .then(|| format!("lines that the audit lost, because too many waited: {}", self.lost));
        wrong.into_iter().chain(lost).collect()
    }

    fn wrong(&self) -> Option<String> {
        let hangs = self.writing_since.is_some_and(|since| since.elapsed() >= HANGS_AFTER);
        let hangs = hangs.then(|| "the audit hangs: look after its disk".to_owned());
        hangs.or_else(|| self.trouble.clone())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// Nothing is lost in silence: behind the last line that found room, one says how many did not.
    #[test]
    fn lines_for_which_there_is_no_room_are_counted() {
        let mut queue = Queue::default();
        let line = || Line::gap(0, 7);
        let taken = (0..WAITING).filter_map(|_| queue.take(line())).count();
        assert_eq!(taken, WAITING);
        assert_eq!((queue.take(line()), queue.take(line())), (None, None));
        queue.lines.drain(..1);
        // There is no room for two.
        assert_eq!(queue.take(line()), None);
        queue.lines.drain(..1);
        assert_eq!(queue.take(line()), Some(Handed(WAITING as u64 + 2)));
        let [.., gap, last] = queue.lines.make_contiguous() else { unreachable!() };
        assert_eq!((gap.details.lost, last.details.lost), (Some(3), Some(7)));
        assert_eq!((queue.lost, queue.lost_untold), (3, 0));
    }
}
