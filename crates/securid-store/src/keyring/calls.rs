//! The queue before the keyring's thread, and what happens when that thread hangs.
//!
//! A store may hang for ever, and a thread in it cannot be stopped. So there is always at most one
//! thread that *serves* the queue; when the deadline of the call that it is in passes, it is written
//! off as *stuck* and a fresh one, with connections of its own, serves what is left. A stuck thread
//! that comes back undoes what nobody waited for, finds that it serves no more, and ends.
//!
//! A thread to which nothing has come for a while ends as well, and leaves its connections to the next one.
//! It decides so under the lock under which calls are queued, so that none is left lying.

use std::collections::{HashMap, VecDeque};
use std::mem::take;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use securid_session::SessionId;
use securid_worker::LINGER;

use super::CALL_DEADLINE;
use super::backend::Backend;
use super::error::KeyringError;
use super::kind::{Readiness, StoreKind};
use super::worker;

/// How long a store that has hung is left alone: as long as a call to it would wait, so that at most
/// every second caller has to.
const COOL_DOWN: Duration = Duration::from_secs(5);

/// How many stuck threads there may be. Each costs a stack and one or two connections; four allow a
/// store that hangs now and then to be tried again, and a frozen one cannot eat up the process.
const MAX_STUCK: usize = 4;

/// How many of them may be in one store: one less, so that one store cannot starve the others.
const MAX_STUCK_PER_STORE: usize = MAX_STUCK - 1;

/// How to get a connection to a store.
pub(super) type Connect = dyn Fn(StoreKind) -> Result<Box<dyn Backend>, KeyringError> + Send + Sync;

/// The connections that a thread has, one a store.
pub(super) type Connections = HashMap<StoreKind, Box<dyn Backend>>;

/// Does one call and answers its caller: with the store if there is one, else with why there is none.
/// Gives back how it went.
pub(super) type Work =
    Box<dyn FnOnce(Result<&mut dyn Backend, KeyringError>) -> Result<(), KeyringError> + Send>;

/// A call that waits for its turn.
pub(super) struct Job {
    pub(super) number: u64,
    pub(super) kind: StoreKind,
    /// The session whose entry it stores or deletes.
    pub(super) writes: Option<SessionId>,
    pub(super) work: Work,
}

/// The call that the serving thread is in.
struct Running {
    number: u64,
    kind: StoreKind,
    writes: Option<SessionId>,
    began: Instant,
}

/// A thread that was written off, and what it hangs in.
struct Stuck {
    thread: u64,
    kind: StoreKind,
    writes: Option<SessionId>,
}

/// A person is being asked to unlock a store.
struct Prompt {
    kind: StoreKind,
    /// Whether somebody waits for the answer; then nobody else need try that store. The prompt itself
    /// stays until it is answered.
    awaited: bool,
}

/// What callers and threads share.
pub(super) struct Calls {
    pub(super) connect: Box<Connect>,
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Job>,
    /// The number of the thread that may take jobs.
    serving: Option<u64>,
    running: Option<Running>,
    /// Those of the thread before, while there is none.
    connections: Connections,
    stuck: Vec<Stuck>,
    cooling: HashMap<StoreKind, Instant>,
    prompt: Option<Prompt>,
    readiness: HashMap<StoreKind, Readiness>,
    last_number: u64,
    closed: bool,
}

impl Calls {
    pub(super) fn new(connect: Box<Connect>) -> Arc<Self> {
        Arc::new(Self { connect, state: Mutex::default(), wake: Condvar::new() })
    }

    /// Queues a call and gives it a number; refuses at once what would only hang as well.
    pub(super) fn submit(
        self: &Arc<Self>,
        kind: StoreKind,
        writes: Option<SessionId>,
        work: Work,
    ) -> Result<u64, KeyringError> {
        let mut state = self.state();
        state.refuse(kind, writes.as_ref())?;
        let number = state.number();
        state.queue.push_back(Job { number, kind, writes, work });
        self.ensure_served(&mut state, kind)?;
        self.wake.notify_all();
        Ok(number)
    }

    /// A caller has waited long enough. If its call still waits, it is taken out of the queue; if it
    /// (or one that is older still) keeps the thread, the thread is written off.
    pub(super) fn expire(self: &Arc<Self>, number: u64) {
        let mut state = self.state();
        state.queue.retain(|job| job.number != number);
        let hangs = |r: &Running| r.number == number || r.began.elapsed() >= CALL_DEADLINE;
        if !state.running.as_ref().is_some_and(hangs) {
            return;
        }
        let refused = state.write_off();
        let rest = state.queue.front().map(|job| job.kind);
        if let Some(kind) = rest {
            // Without a thread those calls fail at once.
            let _ = self.ensure_served(&mut state, kind);
        }
        drop(state);
        for job in refused {
            let _ = (job.work)(Err(hanging(job.kind)));
        }
    }

    /// What was last known of a store.
    pub(super) fn readiness(&self, kind: StoreKind) -> Option<Readiness> {
        let state = self.state();
        if state.awaits_prompt(kind) {
            return Some(Readiness::Locked);
        }
        state.readiness.get(&kind).copied()
    }

    /// Begins a prompt, of which there is one at a time.
    pub(super) fn begin_prompt(&self, kind: StoreKind) -> Result<(), KeyringError> {
        let mut state = self.state();
        match state.prompt {
            Some(_) => Err(prompt_is_open(kind)),
            None => {
                state.prompt = Some(Prompt { kind, awaited: true });
                Ok(())
            }
        }
    }

    /// Nobody waits for the answer any longer. The store may be unlocked in another way, and nobody is
    /// kept from it by a prompt that nobody answers.
    pub(super) fn give_prompt_up(&self) {
        if let Some(prompt) = &mut self.state().prompt {
            prompt.awaited = false;
        }
    }

    /// The prompt is over.
    pub(super) fn end_prompt(&self, kind: StoreKind, told: &Result<(), KeyringError>) {
        let mut state = self.state();
        state.prompt = None;
        state.note(kind, told);
    }

    /// Ends the serving thread once its call is over; nobody is left to ask for more.
    pub(super) fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        // Their callers have gone, and each of them holds on to what we are part of. To let go of a connection may take
        // its time.
        let abandoned = (take(&mut state.queue), take(&mut state.connections));
        drop(state);
        drop(abandoned);
        self.wake.notify_all();
    }

    /// The connections that the thread before has left.
    pub(super) fn connections(&self) -> Connections {
        take(&mut self.state().connections)
    }

    /// The next call for this thread; `None` if it is to end. If it ends for want of calls, its connections stay here.
    pub(super) fn next(&self, thread: u64, connections: &mut Connections) -> Option<Job> {
        let until = Instant::now() + LINGER;
        let mut state = self.state();
        loop {
            if state.closed || state.serving != Some(thread) {
                return None;
            }
            if let Some(job) = state.queue.pop_front() {
                state.running = Some(Running {
                    number: job.number,
                    kind: job.kind,
                    writes: job.writes.clone(),
                    began: Instant::now(),
                });
                return Some(job);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                state.serving = None;
                state.connections = take(connections);
                return None;
            }
            let waited = self.wake.wait_timeout(state, left);
            (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// This thread has done its call.
    pub(super) fn finished(&self, thread: u64) {
        let mut state = self.state();
        if state.serving == Some(thread) {
            state.running = None;
        } else {
            state.stuck.retain(|stuck| stuck.thread != thread);
        }
    }

    /// Notes what a call, done or failed, tells about its store.
    pub(super) fn note(&self, kind: StoreKind, told: &Result<(), KeyringError>) {
        self.state().note(kind, told);
    }

    fn ensure_served(
        self: &Arc<Self>,
        state: &mut State,
        kind: StoreKind,
    ) -> Result<(), KeyringError> {
        if state.serving.is_some() {
            return Ok(());
        }
        let thread = state.number();
        if let Err(e) = worker::spawn(Arc::clone(self), thread) {
            state.queue.clear();
            return Err(KeyringError::unavailable(kind, format!("no thread to be had: {e}")));
        }
        state.serving = Some(thread);
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn refuse(&self, kind: StoreKind, writes: Option<&SessionId>) -> Result<(), KeyringError> {
        if self.awaits_prompt(kind) {
            return Err(prompt_is_open(kind));
        }
        let in_store = self.stuck.iter().filter(|stuck| stuck.kind == kind);
        if in_store.count() >= MAX_STUCK_PER_STORE || self.stuck.len() >= MAX_STUCK {
            return Err(hanging(kind));
        }
        if self.cooling.get(&kind).is_some_and(|until| Instant::now() < *until) {
            return Err(hanging(kind));
        }
        // What a stuck thread does to this entry when it comes back would undo what we do now.
        let same = |stuck: &Stuck| stuck.kind == kind && stuck.writes.as_ref() == writes;
        if writes.is_some() && self.stuck.iter().any(same) {
            return Err(KeyringError::unresponsive(kind, "an earlier change of this entry hangs"));
        }
        Ok(())
    }

    fn awaits_prompt(&self, kind: StoreKind) -> bool {
        self.prompt.as_ref().is_some_and(|prompt| prompt.awaited && prompt.kind == kind)
    }

    /// Writes the serving thread off, and takes out of the queue what cannot be done without it.
    fn write_off(&mut self) -> Vec<Job> {
        let (Some(thread), Some(running)) = (self.serving.take(), self.running.take()) else {
            return Vec::new();
        };
        let kind = running.kind;
        self.stuck.push(Stuck { thread, kind, writes: running.writes });
        self.cooling.insert(kind, Instant::now() + COOL_DOWN);
        self.readiness.insert(kind, Readiness::Unavailable);
        let all = self.stuck.len() >= MAX_STUCK;
        let (refused, kept) = self.queue.drain(..).partition(|job| all || job.kind == kind);
        self.queue = kept;
        Vec::from(refused)
    }

    fn note(&mut self, kind: StoreKind, told: &Result<(), KeyringError>) {
        let readiness = told.as_ref().map_or_else(KeyringError::readiness, |()| Readiness::Ready);
        self.readiness.insert(kind, readiness);
        match told {
            // Whoever hung in it has come back: it answers again.
            Ok(()) => {
                self.cooling.remove(&kind);
            }
            Err(KeyringError::Unresponsive { .. }) => {
                self.cooling.insert(kind, Instant::now() + COOL_DOWN);
            }
            Err(_) => {}
        }
    }

    fn number(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }
}

fn hanging(kind: StoreKind) -> KeyringError {
    KeyringError::unresponsive(kind, "an earlier call still hangs")
}

fn prompt_is_open(kind: StoreKind) -> KeyringError {
    KeyringError::locked(kind, "an unlock prompt is open")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use std::sync::mpsc;

    use securid_secret::SecretBytes;

    use super::super::name::{EntryName, Namespace};
    use super::*;

    const KIND: StoreKind = StoreKind::SecretService;

    /// Submits a call that hangs until the returned sender is dropped, and waits until it does.
    fn hang(calls: &Arc<Calls>) -> Result<(u64, mpsc::Sender<()>), KeyringError> {
        let (release, released) = mpsc::channel::<()>();
        let (begin, begun) = mpsc::channel();
        let work: Work = Box::new(move |_| {
            let _ = begin.send(());
            let _ = released.recv();
            Ok(())
        });
        let number = calls.submit(KIND, None, work)?;
        begun.recv_timeout(Duration::from_secs(10)).expect("nobody serves the queue");
        Ok((number, release))
    }

    #[test]
    fn stuck_threads_are_few_and_leave_room_for_another_store() {
        let refuse = |kind| Err(KeyringError::unavailable(kind, "there is none"));
        let calls = Calls::new(Box::new(refuse));
        let mut held = Vec::new();
        for _ in 0..MAX_STUCK_PER_STORE {
            let (number, release) = hang(&calls).unwrap();
            calls.expire(number);
            assert_eq!(hang(&calls).unwrap_err(), hanging(KIND), "it has to cool down");
            calls.state().cooling.clear();
            held.push(release);
        }
        assert_eq!(hang(&calls).unwrap_err(), hanging(KIND), "there are enough stuck threads");
        let (answered, answer) = mpsc::channel();
        let elsewhere: Work = Box::new(move |_| {
            answered.send(()).unwrap();
            Ok(())
        });
        calls.submit(StoreKind::Keyutils, None, elsewhere).unwrap();
        answer.recv_timeout(Duration::from_secs(10)).unwrap();

        held.pop();
        let limit = Instant::now() + Duration::from_secs(10);
        let (number, release) = loop {
            match hang(&calls) {
                Ok(served) => break served,
                Err(e) => assert!(Instant::now() < limit, "{e}"),
            }
            std::thread::yield_now();
        };
        drop(release);
        // It has ended: nothing is written off for it.
        while calls.state().running.is_some() {
            assert!(Instant::now() < limit);
            std::thread::yield_now();
        }
        calls.expire(number);
        assert_eq!(calls.state().stuck.len(), MAX_STUCK_PER_STORE - 1);
        calls.close();
    }

    /// What serves nobody goes, and the next one goes on with its connections.
    #[test]
    fn a_thread_without_calls_ends_and_leaves_its_connections() {
        let made = Arc::new(Mutex::new(0));
        let count = Arc::clone(&made);
        let calls = Calls::new(Box::new(move |_| {
            *count.lock().unwrap() += 1;
            Ok(Box::new(Nothing))
        }));
        for _ in 0..2 {
            let (number, release) = hang(&calls).unwrap();
            drop(release);
            let limit = Instant::now() + Duration::from_secs(20);
            while calls.state().serving.is_some() {
                assert!(Instant::now() < limit, "it stays");
                std::thread::sleep(Duration::from_millis(10));
            }
            assert_eq!(calls.state().connections.len(), 1);
            // It is long over: there is nobody to be written off.
            calls.expire(number);
            assert_eq!(calls.state().stuck.len(), 0);
        }
        assert_eq!(*made.lock().unwrap(), 1);
    }

    struct Nothing;

    impl Backend for Nothing {
        fn check(&mut self, _: bool) -> Result<(), KeyringError> {
            Ok(())
        }

        fn put(&mut self, _: EntryName<'_>, _: &str, _: &[u8]) -> Result<(), KeyringError> {
            Ok(())
        }

        fn get(&mut self, _: EntryName<'_>) -> Result<Option<SecretBytes>, KeyringError> {
            Ok(None)
        }

        fn delete(&mut self, _: EntryName<'_>) -> Result<(), KeyringError> {
            Ok(())
        }

        fn names(&mut self, _: &Namespace) -> Result<Option<Vec<SessionId>>, KeyringError> {
            Ok(None)
        }
    }
}
