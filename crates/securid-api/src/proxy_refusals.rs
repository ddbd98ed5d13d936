//! User names and passwords that a proxy has refused.
//!
//! They are often those of a person's account in the whole company, which a few wrong passwords lock. So what
//! was refused is left alone for a while, by all clients; and of what is not known to be right, one request at a
//! time asks, and not all that begin at the same moment.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hyper::header::HeaderValue;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

use crate::conversation::Clock;

/// How long what was refused is not sent again. Accounts are locked by some three to ten wrong passwords, and most
/// forget one within half an hour.
const LEFT_ALONE: Duration = Duration::from_secs(30 * 60);

/// How long what was accepted counts as right, so that many requests may go out side by side. A password that is
/// changed in between is refused to as many as are on their way by then.
const RIGHT_FOR: Duration = Duration::from_secs(10);

/// What the proxies have said to user names and passwords. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Refusals(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// Hashes proxy, user name and password, by a key that is drawn when the process starts: they are not kept.
    key: RandomState,
    known: Mutex<HashMap<u64, Arc<Known>>>,
}

#[derive(Debug)]
struct Known {
    word: Mutex<Option<(Instant, Word)>>,
    asking: Arc<Semaphore>,
}

#[derive(Debug, Clone, Copy)]
enum Word {
    Accepted,
    /// With this status.
    Refused(u16),
}

/// A user name and password for a proxy, as they are sent.
#[derive(Debug)]
pub(crate) struct Credentials {
    pub(crate) header: HeaderValue,
    known: Arc<Known>,
}

/// The proxy has refused them, with this status, and they are left alone for what is `left` of a while.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) status: u16,
    pub(crate) left: Duration,
}

impl Refusals {
    /// What is known of this `Proxy-Authorization` at this proxy.
    pub(crate) fn of(&self, proxy: &str, header: HeaderValue) -> Credentials {
        let mut known = self.known();
        // What says nothing any more, and is not waited for.
        known.retain(|_, known| Arc::strong_count(known) > 1 || known.word().is_some());
        let entry = known.entry(self.0.key.hash_one((proxy, header.as_bytes())));
        let known = entry.or_insert_with(|| {
            Arc::new(Known { word: Mutex::default(), asking: Arc::new(Semaphore::new(1)) })
        });
        Credentials { header, known: Arc::clone(known) }
    }

    /// Has all be sent once more.
    pub(crate) fn forget(&self) {
        for known in self.known().values() {
            *known.said() = None;
        }
    }

    fn known(&self) -> MutexGuard<'_, HashMap<u64, Arc<Known>>> {
        self.0.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Credentials {
    /// Whether they may be sent.
    pub(crate) fn check(&self) -> Result<(), Refused> {
        match self.known.word() {
            Some((since, Word::Refused(status))) => {
                Err(Refused { status, left: LEFT_ALONE.saturating_sub(since.elapsed()) })
            }
            _ => Ok(()),
        }
    }

    /// Waits until no other request asks whether they are right, but no longer than half of the time that there is:
    /// a proxy that says nothing for so long hardly minds the password. What comes back is to be held until it has
    /// answered.
    pub(crate) async fn turn(&self, clock: Clock) -> Result<Option<OwnedSemaphorePermit>, Refused> {
        if matches!(self.known.word(), Some((_, Word::Accepted))) {
            return Ok(None);
        }
        let turn = timeout(clock.left() / 2, Arc::clone(&self.known.asking).acquire_owned()).await;
        self.check()?;
        // It is never closed.
        Ok(turn.ok().and_then(Result::ok))
    }

    /// The proxy has opened a way.
    pub(crate) fn accepted(&self) {
        *self.known.said() = Some((Instant::now(), Word::Accepted));
    }

    /// The proxy does not want them.
    pub(crate) fn refused(&self, status: u16) {
        *self.known.said() = Some((Instant::now(), Word::Refused(status)));
    }
}

impl Known {
    /// What the proxy has said, as long as it counts.
    fn word(&self) -> Option<(Instant, Word)> {
        self.said().filter(|(since, word)| {
            let counts = match word {
                Word::Accepted => RIGHT_FOR,
                Word::Refused(_) => LEFT_ALONE,
            };
            since.elapsed() < counts
        })
    }

    fn said(&self) -> MutexGuard<'_, Option<(Instant, Word)>> {
        self.word.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(refusals: &Refusals, proxy: &str, header: &'static str) -> Credentials {
        refusals.of(proxy, HeaderValue::from_static(header))
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_refused_is_left_alone_for_half_an_hour() {
        let all = Refusals::default();
        at(&all, "http://p:1", "Basic wrong").refused(407);
        tokio::time::advance(Duration::from_secs(29 * 60)).await;
        let left = Duration::from_secs(60);
        let refused = Err(Refused { status: 407, left });
        assert_eq!(at(&all.clone(), "http://p:1", "Basic wrong").check(), refused);
        for (proxy, header) in [("http://p:1", "Basic right"), ("http://p:2", "Basic wrong")] {
            assert_eq!(at(&all, proxy, header).check(), Ok(()), "{proxy} {header}");
        }
        tokio::time::advance(left).await;
        assert_eq!(at(&all, "http://p:1", "Basic wrong").check(), Ok(()));

        at(&all, "http://p:1", "Basic wrong").refused(401);
        all.forget();
        assert_eq!(at(&all, "http://p:1", "Basic wrong").check(), Ok(()));
        assert_eq!(all.known().len(), 1, "what is not asked about is not kept");
    }

    #[tokio::test]
    async fn one_asks_at_a_time_until_they_are_known_to_be_right() {
        let all = Refusals::default();
        let clock = Clock::start(Duration::from_millis(100));
        let (one, other) = (at(&all, "p", "x"), at(&all, "p", "x"));
        let asking = one.turn(clock).await.unwrap();
        assert!(asking.is_some());
        assert!(other.turn(clock).await.unwrap().is_none(), "it goes on without, in the end");
        one.accepted();
        assert!(other.turn(clock).await.unwrap().is_none(), "and at once if they are right");
        one.refused(407);
        drop(asking);
        assert_eq!(other.turn(clock).await.unwrap_err().status, 407);
    }
}
