//! The disk as the daemon sees it: asynchronous, in order, and answered only when it is durable.

pub(crate) mod document;
mod error;
mod filed;
mod folder;
mod history;
mod identity;
pub(crate) mod index;
mod lock;
mod sight;

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use securid_session::{Record, SessionId};
use securid_worker::{Work, Worker};
use tokio::sync::oneshot;

use folder::Change;

pub use error::{DiskError, DiskErrorKind};
pub use filed::filed_under;
pub use folder::{Damage, Loaded, RecordFolder};
pub use history::{Gaps, History, HistoryLine, HistoryReader, Mark, Page, Wanted};
pub use identity::Identity;
pub use lock::{LockError, StateLock};
pub use sight::Sight;

/// How many jobs may share a sync. 64 make the sync of the folder cheap beside those of the files,
/// and keep the first of them from waiting for more than some tenths of a second on a slow disk.
const BATCH: usize = 64;

/// A handle to the thread that writes, which is there while there is something to write. Clones share it; all that was
/// asked of it is done also after the last of them.
///
/// Jobs are done in the order in which they were asked for. There is no deadline here: a disk that
/// hangs lets the caller wait. A call that is dropped while it waits is carried out all the same.
#[derive(Clone)]
pub struct Disk {
    worker: Arc<Worker<Writer>>,
    folder: Arc<PathBuf>,
    past: HistoryReader,
}

type Reply<T> = oneshot::Sender<Result<T, DiskError>>;

enum Job {
    /// The daemon has started, and does not know how many lines of history there are.
    Count,
    Change(Change, Reply<()>),
    Append(HistoryLine, Reply<()>),
    Keep(Option<Duration>),
}

impl Disk {
    /// Has the history counted, and trimmed. The thread calls `made_anew` when it found that the folder of records was removed:
    /// what has not changed since has to be written again.
    #[must_use]
    pub fn start(
        records: RecordFolder,
        history: History,
        made_anew: impl Fn() + Send + 'static,
    ) -> Self {
        let folder = Arc::new(records.path().to_owned());
        let past = history.reader();
        let writer = Writer { records, history, made_anew: Box::new(made_anew) };
        let worker = Worker::new("disk", VecDeque::new(), writer);
        // Without a thread, it is done with the next job.
        worker.hand(|jobs, _| jobs.push_back(Job::Count));
        Self { worker, folder, past }
    }

    /// Writes a record.
    ///
    /// # Errors
    /// If it may not be on disk.
    pub async fn write(&self, record: Record) -> Result<(), DiskError> {
        self.ask(|reply| Job::Change(Change::Write(record), reply)).await
    }

    /// Removes a record; it is fine if there is none.
    ///
    /// # Errors
    /// If it may still be on disk.
    pub async fn remove(&self, id: SessionId) -> Result<(), DiskError> {
        self.ask(|reply| Job::Change(Change::Remove(id), reply)).await
    }

    /// Adds an ended session to the history.
    ///
    /// # Errors
    /// If it may not be on disk.
    pub async fn append(&self, line: HistoryLine) -> Result<(), DiskError> {
        self.ask(|reply| Job::Append(line, reply)).await
    }

    /// From now on an ended session stays in the history for so long. Others go soon, and readers have to leave them
    /// out until then.
    pub fn keep_history(&self, span: Option<Duration>) {
        // Without a thread, it counts from the next job on.
        self.worker.hand(|jobs, _| jobs.push_back(Job::Keep(span)));
    }

    /// The history, to be read beside the thread that writes. What was added is in it as soon as that was answered.
    #[must_use]
    pub fn past(&self) -> &HistoryReader {
        &self.past
    }

    async fn ask<T>(&self, job: impl FnOnce(Reply<T>) -> Job) -> Result<T, DiskError> {
        let (reply, answer) = oneshot::channel();
        self.hand(job(reply)).map_err(|e| self.no_thread(&e))?;
        answer.await.unwrap_or_else(|_| Err(DiskError::stopped(&self.folder)))
    }

    fn hand(&self, job: Job) -> io::Result<()> {
        self.worker.hand(|jobs, thread| thread.map(|()| jobs.push_back(job)))
    }

    fn no_thread(&self, error: &io::Error) -> DiskError {
        DiskError::new("start the thread for", &self.folder, error)
    }
}

/// What the thread writes, and where.
struct Writer {
    records: RecordFolder,
    history: History,
    made_anew: Box<dyn Fn() + Send>,
}

impl Work for Writer {
    type Queue = VecDeque<Job>;
    type Job = Vec<Job>;

    fn take(jobs: &mut Self::Queue) -> Option<Self::Job> {
        let waiting = jobs.len().min(BATCH);
        (waiting > 0).then(|| jobs.drain(..waiting).collect())
    }

    fn work(&mut self, jobs: Self::Job, _: &Worker<Self>) {
        let (records, history) = (&mut self.records, &mut self.history);
        let mut batch = Batch::default();
        for job in jobs {
            batch.take(job, records, history);
        }
        batch.finish(records, history);
        if records.was_made_anew() {
            (self.made_anew)();
        }
        history.trim_if_due(Timestamp::now());
    }
}

/// Neighbouring jobs that one sync can serve: changes of records, or new lines of history.
#[derive(Default)]
struct Batch {
    changes: Vec<(Change, Reply<()>)>,
    lines: Vec<(HistoryLine, Reply<()>)>,
}

impl Batch {
    /// Adds a job; first finishes what must be on disk before it.
    fn take(&mut self, job: Job, records: &mut RecordFolder, history: &mut History) {
        match job {
            Job::Change(change, reply) => {
                self.append(history);
                self.changes.push((change, reply));
            }
            Job::Append(line, reply) => {
                self.apply(records, history);
                self.lines.push((line, reply));
            }
            Job::Keep(span) => history.keep_for(span),
            Job::Count => {
                history.count();
                history.trim_if_due(Timestamp::now());
            }
        }
    }

    fn finish(&mut self, records: &mut RecordFolder, history: &mut History) {
        self.apply(records, history);
        self.append(history);
    }

    fn apply(&mut self, records: &mut RecordFolder, history: &mut History) {
        let (changes, replies): (Vec<_>, Vec<_>) = self.changes.drain(..).unzip();
        let done = records.apply(&changes);
        for (change, done) in changes.iter().zip(&done) {
            if let (Change::Remove(id), Ok(())) = (change, done) {
                history.removed(id);
            }
        }
        for (reply, done) in replies.into_iter().zip(done) {
            let _ = reply.send(done);
        }
    }

    fn append(&mut self, history: &mut History) {
        if self.lines.is_empty() {
            return;
        }
        let (lines, replies): (Vec<_>, Vec<_>) = self.lines.drain(..).unzip();
        let done = history.append_batch(&lines);
        for reply in replies {
            let _ = reply.send(done.clone());
        }
    }
}
