//! Connections that are kept for the next exchange.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, SystemTime};

use tokio::time::{Instant, sleep_until};

use crate::sockets::most_descriptors;
use crate::stream::Stream;
use crate::turn::Turn;

/// How long an unused connection is kept. It serves the logouts of one burst, and a script that
/// logs in and out; servers drop it after 20 to 60 s, and one that is dropped while a request is on
/// its way costs an attempt.
const KEEP_IDLE: Duration = Duration::from_secs(15);

/// How many unused connections are kept. In a burst all attempts to one origin may be answered at
/// the same moment, and the next ones begin just after: all their connections must still be there.
/// 256 is the most attempts at once that a config can ask for.
const MAX_IDLE: usize = 256;

/// The share of the process's descriptors whose connections are kept, as a divisor: the lowest quarter. The lowest free
/// one is always taken, so a high number says that many were in use. Clients have half of them at most, and the
/// last quarter stays for records and for new connections, which would else want for them until these are closed.
const SHARE: u64 = 4;

/// The unused connections to one endpoint, bare: of the exchanges that they carried nothing is left,
/// and no token. Nobody watches them; who takes one has to look at it.
#[derive(Default)]
pub(crate) struct Kept(Arc<Mutex<Shelf>>);

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept").finish_non_exhaustive()
    }
}

#[derive(Default)]
struct Shelf {
    /// In the order in which they were put back.
    unused: Vec<Unused>,
    swept: bool,
    distrusted: bool,
}

struct Unused {
    since: Instant,
    /// The same moment: tokio's clock stands still while the machine sleeps, and the server's end of
    /// a connection does not outlive that.
    at: SystemTime,
    /// Of its next exchange.
    turn: Turn,
    stream: Stream,
}

impl Kept {
    /// The one that was used last, unless that is too long ago, and whose turn it is on it.
    pub(crate) fn take(&self) -> Option<(Stream, Turn)> {
        let Unused { at, turn, stream, .. } = self.shelf().unused.pop()?;
        at.elapsed().is_ok_and(|unused| unused < KEEP_IDLE).then_some((stream, turn))
    }

    /// Keeps a connection for some time, for an exchange of that turn. Only one whose last exchange has come
    /// to a clean end may be put back.
    pub(crate) fn put(&self, stream: Stream, turn: Turn) {
        let mut shelf = self.shelf();
        let scarce = were_scarce(most_descriptors(), stream.descriptor());
        if shelf.distrusted || scarce || shelf.unused.len() >= MAX_IDLE {
            return;
        }
        let (since, at) = (Instant::now(), SystemTime::now());
        shelf.unused.push(Unused { since, at, turn, stream });
        if !std::mem::replace(&mut shelf.swept, true) {
            tokio::spawn(sweep(Arc::downgrade(&self.0)));
        }
    }

    /// Keeps none any more. A server that says what nobody has asked for may say it again, at a
    /// moment when it cannot be told from an answer.
    pub(crate) fn distrust(&self) {
        let mut shelf = self.shelf();
        shelf.distrusted = true;
        shelf.unused.clear();
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        lock(&self.0)
    }
}

/// Whether so many descriptors were in use when this one was opened that it is not kept; no limit is None.
fn were_scarce(limit: Option<u64>, descriptor: u64) -> bool {
    limit.is_some_and(|limit| descriptor >= limit / SHARE)
}

/// Closes what has lain there for too long, until nothing is left.
async fn sweep(shelf: Weak<Mutex<Shelf>>) {
    while let Some(next) = shelf.upgrade().and_then(|shelf| lock(&shelf).sweep()) {
        sleep_until(next).await;
    }
}

impl Shelf {
    /// When to sweep again, if ever.
    fn sweep(&mut self) -> Option<Instant> {
        let now = Instant::now();
        let old = self.unused.partition_point(|unused| unused.since + KEEP_IDLE <= now);
        self.unused.drain(..old);
        self.swept = !self.unused.is_empty();
        self.unused.first().map(|unused| unused.since + KEEP_IDLE)
    }
}

/// Whoever panicked with the lock held left no shelf half changed.
fn lock(shelf: &Mutex<Shelf>) -> MutexGuard<'_, Shelf> {
    shelf.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::meeting::Shown;
    use crate::sockets::raise_the_limit;
    use tokio::io::AsyncReadExt;
    use tokio::net::{TcpListener, TcpStream};
    use tokio::time::{advance, pause, resume};

    async fn pair(listener: &TcpListener) -> (Stream, TcpStream) {
        let to = TcpStream::connect(listener.local_addr().unwrap());
        let (ours, theirs) = tokio::join!(to, listener.accept());
        (Stream::new(ours.unwrap(), Shown::Unasked), theirs.unwrap().0)
    }

    #[tokio::test]
    async fn what_is_not_used_is_closed_after_some_time_and_then_nothing_wakes() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let kept = Kept::default();
        let (first, mut end_of_first) = pair(&listener).await;
        let (second, mut end_of_second) = pair(&listener).await;
        pause();
        kept.put(first, Turn::FIRST);
        advance(KEEP_IDLE / 2).await;
        kept.put(second, Turn::FIRST);
        advance(KEEP_IDLE / 2).await;
        tokio::task::yield_now().await;
        resume();
        assert_eq!(end_of_first.read(&mut [0]).await.unwrap(), 0);
        assert_eq!(kept.shelf().unused.len(), 1);
        pause();
        advance(KEEP_IDLE).await;
        tokio::task::yield_now().await;
        resume();
        assert_eq!(end_of_second.read(&mut [0]).await.unwrap(), 0);
        assert_eq!(tokio::runtime::Handle::current().metrics().num_alive_tasks(), 0);
        assert!(kept.take().is_none());

        let (third, _end) = pair(&listener).await;
        kept.put(third, Turn::FIRST);
        assert_eq!(tokio::runtime::Handle::current().metrics().num_alive_tasks(), 1);
        assert!(kept.take().is_some());
    }

    #[tokio::test]
    async fn none_is_used_after_a_long_sleep_of_the_machine() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let kept = Kept::default();
        for (ago, used) in [(Duration::ZERO, true), (KEEP_IDLE, false)] {
            kept.put(pair(&listener).await.0, Turn::FIRST);
            kept.shelf().unused[0].at -= ago;
            assert_eq!(kept.take().is_some(), used);
        }
    }

    #[test]
    fn only_the_lowest_quarter_of_the_descriptors_is_kept() {
        for (limit, descriptor, scarce) in [
            (Some(64), 15, false),
            (Some(64), 16, true),
            (Some(1024), 255, false),
            (None, 1 << 30, false),
        ] {
            assert_eq!(were_scarce(limit, descriptor), scarce, "{descriptor} of {limit:?}");
        }
    }

    #[tokio::test]
    async fn they_are_closed_with_their_client() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let kept = Kept::default();
        let (ours, mut theirs) = pair(&listener).await;
        kept.put(ours, Turn::FIRST);
        drop(kept);
        assert_eq!(theirs.read(&mut [0]).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn no_more_are_kept_than_are_of_use() {
        raise_the_limit();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let kept = Kept::default();
        for _ in 0..=MAX_IDLE {
            kept.put(pair(&listener).await.0, Turn::FIRST);
        }
        assert_eq!(kept.shelf().unused.len(), MAX_IDLE);
        kept.distrust();
        assert!(kept.take().is_none());
    }
}
