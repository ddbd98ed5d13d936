//! What nobody may wait for is done by a thread beside: a disk, an audit or a log may hang. It is there only
//! while there is something to do, because a daemon that idles all day must cost nothing.
//!
//! - [`Worker`]: a queue, and the thread that comes for what is in it
//! - [`aside`]: a thread for one thing that may hang

mod aside;

use std::io;
use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

pub use aside::aside;

/// How long a thread waits for more before it goes. The steps of an add or of a revocation take turns at a disk,
/// a keyring and a server, and come within this, so that one thread does for all of them; and it is soon gone.
pub const LINGER: Duration = Duration::from_secs(1);

/// What a thread does, with what is its own.
pub trait Work: Send + Sized + 'static {
    /// Where jobs wait.
    type Queue: Send;
    /// As much as is done in one go.
    type Job;

    /// Takes the next job, if there is one. It is called under the queue's lock.
    fn take(queue: &mut Self::Queue) -> Option<Self::Job>;

    /// Does it, and may take its time.
    fn work(&mut self, job: Self::Job, worker: &Worker<Self>);
}

/// A queue, and a thread behind it that comes with the first job, does them one after the other, and goes when none
/// has come for [`LINGER`].
///
/// Whether it is there stands under the queue's own lock, which it holds when it decides to go: a job that is handed
/// over before is seen by it, and one that is handed over after brings the next thread.
pub struct Worker<W: Work> {
    name: &'static str,
    /// [`LINGER`], but for tests.
    linger: Duration,
    shared: Mutex<Shared<W::Queue>>,
    /// Jobs have come, or all are done, or what [`Worker::pause`] waits for may be so.
    changed: Condvar,
    /// Locked by the thread for as long as it is there: the next one begins when it has let go.
    own: Mutex<W>,
}

struct Shared<Q> {
    queue: Q,
    /// There is a thread, and it will look at the queue once more.
    attended: bool,
    /// All that was handed over is done.
    settled: bool,
}

impl<W: Work> Worker<W> {
    /// `name` is what its threads are called. None is there until something is handed over.
    #[must_use]
    pub fn new(name: &'static str, queue: W::Queue, own: W) -> Arc<Self> {
        Self::lingering(LINGER, name, queue, own)
    }

    /// Changes the queue, with a thread there that will see it. Where none is to be had, `change` is told why, and what it
    /// puts into the queue waits until something else is handed over.
    pub fn hand<T>(self: &Arc<Self>, change: impl FnOnce(&mut W::Queue, io::Result<()>) -> T) -> T {
        let mut shared = self.shared();
        let thread = if shared.attended { Ok(()) } else { self.spawn() };
        shared.attended = thread.is_ok();
        shared.settled = false;
        let told = change(&mut shared.queue, thread);
        drop(shared);
        self.changed.notify_all();
        told
    }

    /// Looks at the queue, or changes what asks for no thread.
    pub fn look<T>(&self, look: impl FnOnce(&mut W::Queue) -> T) -> T {
        look(&mut self.shared().queue)
    }

    /// Waits until all is done that was handed over, for at most so long.
    pub fn settle(&self, within: Duration) {
        self.changed.notify_all();
        let unsettled = |shared: &mut Shared<W::Queue>| shared.attended && !shared.settled;
        drop(self.changed.wait_timeout_while(self.shared(), within, unsettled));
    }

    /// For the thread, in the midst of a job: waits so long, or until the queue is so.
    pub fn pause(&self, so_long: Duration, until: impl Fn(&W::Queue) -> bool) {
        let pauses = |shared: &mut Shared<W::Queue>| !until(&shared.queue);
        drop(self.changed.wait_timeout_while(self.shared(), so_long, pauses));
    }

    fn lingering(linger: Duration, name: &'static str, queue: W::Queue, own: W) -> Arc<Self> {
        let shared = Mutex::new(Shared { queue, attended: false, settled: true });
        Arc::new(Self { name, linger, shared, changed: Condvar::new(), own: Mutex::new(own) })
    }

    fn spawn(self: &Arc<Self>) -> io::Result<()> {
        let this = Arc::clone(self);
        thread::Builder::new().name(self.name.to_owned()).spawn(move || this.attend()).map(drop)
    }

    /// The thread.
    fn attend(&self) {
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(job) = self.next() {
            own.work(job, self);
        }
    }

    /// The next job; `None` if the thread is to go.
    fn next(&self) -> Option<W::Job> {
        let mut shared = self.shared();
        let mut until = None;
        loop {
            if let Some(job) = W::take(&mut shared.queue) {
                return Some(job);
            }
            if !mem::replace(&mut shared.settled, true) {
                self.changed.notify_all();
            }
            let now = Instant::now();
            let left = until.get_or_insert(now + self.linger).saturating_duration_since(now);
            if left.is_zero() {
                shared.attended = false;
                return None;
            }
            let waited = self.changed.wait_timeout(shared, left);
            (shared, _) = waited.unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn shared(&self) -> MutexGuard<'_, Shared<W::Queue>> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::VecDeque;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    use super::*;

    /// How long anything here may take on a busy machine.
    const PATIENCE: Duration = Duration::from_secs(60);

    /// How many threads hand jobs over, and how many each.
    const HANDS: usize = 4;
    const JOBS: usize = 2_000;

    /// What was done, in its order.
    #[derive(Default)]
    struct Diary {
        done: Vec<(usize, usize)>,
        /// How many threads there were.
        threads: Arc<AtomicUsize>,
        last: Option<thread::ThreadId>,
        /// Somebody is at work.
        at_it: Arc<AtomicBool>,
        held: Option<std::sync::mpsc::Receiver<()>>,
    }

    impl Work for Diary {
        type Queue = VecDeque<(usize, usize)>;
        type Job = (usize, usize);

        fn take(queue: &mut Self::Queue) -> Option<Self::Job> {
            queue.pop_front()
        }

        fn work(&mut self, job: Self::Job, _: &Worker<Self>) {
            assert!(!self.at_it.swap(true, Ordering::SeqCst), "two at once");
            if self.last.replace(thread::current().id()) != Some(thread::current().id()) {
                self.threads.fetch_add(1, Ordering::SeqCst);
            }
            if let Some(held) = &self.held {
                let _ = held.recv();
            }
            self.done.push(job);
            self.at_it.store(false, Ordering::SeqCst);
        }
    }

    fn give(worker: &Arc<Worker<Diary>>, job: (usize, usize)) {
        worker.hand(|queue, thread| {
            thread.unwrap();
            queue.push_back(job);
        });
    }

    /// Threads that go at once, and jobs that come at any moment: none is left lying, and each hand's come in order.
    #[test]
    fn none_is_left_lying_by_a_thread_that_goes() {
        let threads = Arc::new(AtomicUsize::new(0));
        let diary = Diary { threads: Arc::clone(&threads), ..Diary::default() };
        let worker = Worker::lingering(Duration::ZERO, "test", VecDeque::new(), diary);
        thread::scope(|scope| {
            for hand in 0..HANDS {
                let worker = &worker;
                scope.spawn(move || {
                    for number in 0..JOBS {
                        give(worker, (hand, number));
                        // Now and then the thread is about to go, has gone, or is still at it.
                        (0..number % 97 * 20).for_each(|_| std::hint::spin_loop());
                    }
                });
            }
        });
        worker.settle(PATIENCE);
        let done = &worker.own.lock().unwrap().done;
        for hand in 0..HANDS {
            let numbers: Vec<_> = done.iter().filter(|it| it.0 == hand).map(|it| it.1).collect();
            assert_eq!(numbers, (0..JOBS).collect::<Vec<_>>());
        }
        assert!(threads.load(Ordering::SeqCst) > 1, "it never went");
        assert_eq!(worker.look(|queue| queue.len()), 0);
    }

    #[test]
    fn one_thread_does_what_comes_within_its_time_and_then_goes() {
        let threads = Arc::new(AtomicUsize::new(0));
        let diary = Diary { threads: Arc::clone(&threads), ..Diary::default() };
        let worker = Worker::lingering(PATIENCE, "test", VecDeque::new(), diary);
        for number in 0..3 {
            give(&worker, (0, number));
            worker.settle(PATIENCE);
        }
        assert_eq!(threads.load(Ordering::SeqCst), 1);
        assert!(worker.shared().attended);

        let worker = Worker::lingering(Duration::ZERO, "test", VecDeque::new(), Diary::default());
        give(&worker, (0, 0));
        let until = Instant::now() + PATIENCE;
        // The thread has an `Arc` of its own.
        while Arc::strong_count(&worker) > 1 {
            assert!(Instant::now() < until, "it stays");
            thread::yield_now();
        }
        assert!(!worker.shared().attended);
    }

    #[test]
    fn whoever_waits_for_the_end_waits_for_what_is_being_done() {
        let (release, held) = std::sync::mpsc::channel();
        let diary = Diary { held: Some(held), ..Diary::default() };
        let worker = Worker::new("test", VecDeque::new(), diary);
        // There is nothing to wait for.
        worker.settle(PATIENCE);
        give(&worker, (0, 0));
        let began = Instant::now();
        worker.settle(Duration::from_millis(50));
        assert!(began.elapsed() >= Duration::from_millis(50), "it is not done yet");
        drop(release);
        worker.settle(PATIENCE);
        assert_eq!(worker.own.lock().map(|own| own.done.len()).unwrap_or(0), 1);
    }
}
