//! The audit: what became of each session, a line an event, for somebody else to check.
//!
//! - `line`: an event as JSON, and as an entry of the journal
//! - `place`: where lines go; `file`: a file, its checks and its rotation
//!
//! A thread of its own writes, because a disk or a journal may hang, and nothing may wait for it but
//! the removal of records whose end it has not got yet ([`Audit::written`]): from such a record the next start tells
//! the end once more.

mod file;
mod line;
mod place;

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use securid_store::crash;
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
    shared: Option<Arc<Shared>>,
}

struct Shared {
    queue: Mutex<Queue>,
    /// Lines have come, the daemon ends, or the thread has.
    changed: Condvar,
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
    /// Why the last write failed.
    trouble: Option<String>,
    writing_since: Option<Instant>,
    /// The daemon ends.
    ending: bool,
    /// So has the thread.
    ended: bool,
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
    /// Starts the thread, if anything is to be written.
    ///
    /// # Errors
    /// If there is no thread to be had. What is wrong with a file shows in [`Audit::problems`].
    pub(crate) fn start(target: &AuditTarget) -> io::Result<Self> {
        let Some(place) = Place::of(target) else { return Ok(Self { shared: None }) };
        let shared = Arc::new(Shared {
            queue: Mutex::default(),
            changed: Condvar::new(),
            progress: watch::Sender::default(),
        });
        let worker = Arc::clone(&shared);
        thread::Builder::new().name("audit".to_owned()).spawn(move || worker.work(place))?;
        Ok(Self { shared: Some(shared) })
    }

    /// Whether anything is audited.
    pub(crate) fn is_on(&self) -> bool {
        self.shared.is_some()
    }

    /// Hands a line over and does not wait; `None` if there is no room for it.
    pub(crate) fn hand(&self, line: Line) -> Option<Handed> {
        let shared = self.shared.as_ref()?;
        let handed = shared.queue().take(line);
        shared.changed.notify_all();
        handed
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
        let progress = self.shared.as_ref().map(|shared| shared.progress.subscribe());
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
        self.shared.as_ref().is_some_and(|shared| shared.queue().wrong().is_some())
    }

    /// What is wrong, for people.
    pub(crate) fn problems(&self) -> Vec<String> {
        let Some(shared) = &self.shared else { return Vec::new() };
        let queue = shared.queue();
        let waiting = queue.lines.len();
        let wrong = queue.wrong().map(|why| format!("{why} (lines that wait: {waiting})"));
        let lost = (queue.lost > 0)
            .then(|| format!("lines that the audit lost, because too many waited: {}", queue.lost));
        wrong.into_iter().chain(lost).collect()
    }

    /// Lets the thread write what waits, for at most so long. Nothing may be handed over afterwards.
    pub(crate) fn finish(&self, within: Duration) {
        let Some(shared) = &self.shared else { return };
        let mut queue = shared.queue();
        queue.ending = true;
        shared.changed.notify_all();
        let waited = shared.changed.wait_timeout_while(queue, within, |queue| !queue.ended);
        let (queue, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if !queue.lines.is_empty() {
            let lines = queue.lines.len();
            warn!(lines, "not in the audit: what is recorded is told again at the next start");
        }
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The thread: writes what comes, until the daemon ends.
    fn work(&self, mut place: Place) {
        let mut pause = None;
        while let Some(batch) = self.next(pause) {
            crash::at_work("audit");
            let (lines, result) = place.write(&batch);
            pause = self.note(lines, result, place.is_unsynced(), pause);
        }
        self.queue().ended = true;
        self.changed.notify_all();
    }

    /// What is to be written next, after the pause that follows a failure; none at the end.
    fn next(&self, pause: Option<Duration>) -> Option<Vec<Line>> {
        let mut queue = self.queue();
        if let Some(pause) = pause {
            let waited = self.changed.wait_timeout_while(queue, pause, |queue| !queue.ending);
            (queue, _) = waited.unwrap_or_else(PoisonError::into_inner);
            if queue.ending {
                drop(queue);
                thread::sleep(pause.min(AGAIN_AT_END));
                queue = self.queue();
            }
        }
        while queue.lines.is_empty() && pause.is_none() && !queue.ending {
            queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        if queue.lines.is_empty() && pause.is_none() {
            return None;
        }
        queue.writing_since = Some(Instant::now());
        Some(queue.lines.iter().take(BATCH).cloned().collect())
    }

    /// So many of them were written. Gives back how long to wait before the next try, if one failed.
    fn note(
        &self,
        lines: usize,
        result: Result<(), String>,
        unsynced: bool,
        pause: Option<Duration>,
    ) -> Option<Duration> {
        let mut queue = self.queue();
        queue.writing_since = None;
        queue.lines.drain(..lines);
        let written = queue.handed.saturating_sub(queue.lines.len() as u64);
        let failing = result.is_err();
        self.progress.send_modify(|progress| {
            progress.failing = failing;
            if !unsynced {
                progress.written = written;
            }
        });
        let Err(why) = result else {
            if queue.trouble.take().is_some() {
                info!("the audit is written again");
            }
            return None;
        };
        if queue.trouble.as_ref() != Some(&why) {
            warn!("{why}");
        }
        queue.trouble = Some(why);
        Some(pause.map_or(AGAIN, |pause| (pause * 2).min(AGAIN_MAX)))
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
