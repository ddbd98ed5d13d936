//! Looks into the name service, shared by all that want to know the same.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use securid_worker::aside;
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, timeout_at};

/// How many looks may hang at once. Each takes a thread, as long as the system's resolver takes: half a minute by
/// default, or for ever. Begun [`APART`], so many hang only if each takes 40 s.
const LOOKS: usize = 8;

/// How long a look is waited for before another is begun beside it: the name service may be back, or be another,
/// and the one that hangs does not know. As long as the resolver waits for one server.
const APART: Duration = Duration::from_secs(5);

/// The looks for one host.
pub(crate) struct Looks(Arc<Shared>);

struct Shared {
    look: Box<dyn Fn() -> io::Result<Vec<SocketAddr>> + Send + Sync>,
    running: Arc<Semaphore>,
    /// When the youngest was begun, if it has not ended.
    youngest: Mutex<Option<Instant>>,
    answers: watch::Sender<Option<Answer>>,
}

/// What a look saw.
struct Answer {
    begun: Instant,
    found: Result<Vec<SocketAddr>, String>,
}

impl Looks {
    /// None is begun yet. `look` asks the system, and blocks.
    pub(crate) fn new(
        look: impl Fn() -> io::Result<Vec<SocketAddr>> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(Shared {
            look: Box::new(look),
            running: Arc::new(Semaphore::new(LOOKS)),
            youngest: Mutex::default(),
            answers: watch::Sender::new(None),
        }))
    }

    /// The first addresses that any look finds from now on. That there are none is believed only of one that was begun
    /// since: an older one may have asked another network. It may take for ever.
    pub(crate) async fn look(&self) -> Result<Vec<SocketAddr>, String> {
        let (came, mut answers) = (Instant::now(), self.0.answers.subscribe());
        loop {
            let due = self.0.begin_if_due();
            // Without an answer by then, another look is due.
            if let Ok(Ok(())) = timeout_at(due, answers.changed()).await
                && let Some(answer) = &*answers.borrow_and_update()
                && (answer.found.is_ok() || answer.begun >= came)
            {
                return answer.found.clone();
            }
        }
    }
}

impl Shared {
    /// Begins a look, if none is running that is young enough. Says when another will be due.
    fn begin_if_due(self: &Arc<Self>) -> Instant {
        let now = Instant::now();
        let mut youngest = self.youngest();
        if let Some(due) = youngest.map(|begun| begun + APART).filter(|due| *due > now) {
            return due;
        }
        if let Ok(turn) = Arc::clone(&self.running).try_acquire_owned() {
            *youngest = Some(now);
            let this = Arc::clone(self);
            // If nobody waits for it any more, it goes on to its end.
            let begun = aside("names", move || {
                let found = (this.look)().map_err(|error| error.to_string());
                let mut youngest = this.youngest();
                if *youngest == Some(now) {
                    *youngest = None;
                }
                drop((youngest, turn));
                this.answers.send_replace(Some(Answer { begun: now, found }));
            });
            if let Err(error) = begun {
                *youngest = None;
                let found = Err(format!("there is no thread to ask in: {error}"));
                self.answers.send_replace(Some(Answer { begun: now, found }));
            }
        }
        now + APART
    }

    fn youngest(&self) -> MutexGuard<'_, Option<Instant>> {
        self.youngest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn many_that_want_the_same_take_one_thread() {
        let (begun, (go, gone)) = (Arc::new(AtomicUsize::new(0)), mpsc::channel::<()>());
        let (count, gone) = (Arc::clone(&begun), Mutex::new(gone));
        let looks = Looks::new(move || {
            count.fetch_add(1, Ordering::SeqCst);
            let _ = gone.lock().unwrap().recv();
            Ok(vec!["192.0.2.7:1".parse().unwrap()])
        });
        let all = futures_util::future::join_all((0..20).map(|_| looks.look()));
        let asked = async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            go.send(()).unwrap();
        };
        let (found, ()) = tokio::join!(all, asked);
        assert!(found.iter().all(|found| found.as_ref().unwrap().len() == 1));
        assert_eq!(begun.load(Ordering::SeqCst), 1);
        drop(go);
        looks.look().await.unwrap();
        assert_eq!(begun.load(Ordering::SeqCst), 2, "what was found is not kept");
    }

    #[tokio::test]
    async fn beside_looks_that_hang_another_finds_it() {
        // The first hangs as long as the test runs; the others find what there is.
        let (first, (_hold, hanging)) = (AtomicUsize::new(0), mpsc::channel::<()>());
        let hanging = Mutex::new(Some(hanging));
        let looks = Looks::new(move || {
            if first.fetch_add(1, Ordering::SeqCst) == 0 {
                let hanging = hanging.lock().unwrap().take().unwrap();
                let _ = hanging.recv_timeout(APART * 2);
            }
            Ok(vec!["192.0.2.7:1".parse().unwrap()])
        });
        for _ in 0..LOOKS + 2 {
            assert!(timeout(Duration::from_millis(20), looks.look()).await.is_err());
        }
        assert_eq!(looks.0.running.available_permits(), LOOKS - 1);
        let begun = Instant::now();
        looks.look().await.unwrap();
        assert!(begun.elapsed() < APART * 3 / 2);
    }

    #[tokio::test]
    async fn that_there_is_none_is_believed_of_a_look_begun_since() {
        let (count, (go, gone)) = (AtomicUsize::new(0), mpsc::channel::<()>());
        let gone = Mutex::new(gone);
        let looks = Looks::new(move || {
            let which = count.fetch_add(1, Ordering::SeqCst);
            let _ = gone.lock().unwrap().recv();
            Err(io::Error::other(format!("look {which}")))
        });
        let short = timeout(Duration::from_millis(20), looks.look());
        assert!(short.await.is_err());
        drop(go);
        assert_eq!(looks.look().await.unwrap_err(), "look 1");
    }
}
