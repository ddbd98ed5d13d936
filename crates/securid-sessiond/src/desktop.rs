//! The desktop and the machine's power: what becomes of sessions when the screen is locked, the
//! machine sleeps or goes down, and what a person is told of them.
//!
//! All of it speaks to the keeper by messages alone, and the keeper never waits for it: a bus or a
//! service that is absent, restarts or hangs holds nobody up.
//!
//! - `logind`: one connection to logind, from its first word to its last
//! - `inhibitors`: what keeps the machine from leaving before tokens are dead
//! - `locks`: which screens of ours are locked
//! - `notifications`: bubbles on the desktop

mod inhibitors;
mod locks;
mod logind;
pub(crate) mod notifications;

use std::future::pending;
use std::time::Duration;

use securid_bus::{Bus, Coming};
use securid_store::crash;
use tokio::sync::watch;
use tokio::time::sleep;
use tracing::debug;

use crate::keeper::{Inbox, Message};
use locks::Locks;
use logind::Logind;

/// How long a call may take, or the way to the bus. A working bus answers in a millisecond; logind gives
/// a machine that wants to leave no more than 5 s either.
const DEADLINE: Duration = Duration::from_secs(5);

/// The first wait after logind, or the bus, could not be used: a bus that restarts is back in about a
/// second.
const AGAIN_FIRST: Duration = Duration::from_secs(1);

/// The longest such wait. Where there is no bus at all its coming is told, and this is for what could be missed: a wakeup
/// every five minutes, and that only while there are sessions.
const AGAIN_LAST: Duration = Duration::from_secs(5 * 60);

/// What the keeper wants of logind at present. With nothing wanted there is not even a connection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Wants {
    /// Whether there is anything that logind's news could mean something for.
    pub(crate) news: bool,
    /// Whether locked screens are part of it.
    pub(crate) locks: bool,
    /// Whether the machine may not go down at once.
    pub(crate) delay_shutdown: bool,
    /// Whether it may not go to sleep at once.
    pub(crate) delay_sleep: bool,
}

/// What logind has to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum News {
    /// The machine is about to go down, or does not after all.
    Shutdown(bool),
    /// The machine is about to sleep, or has woken.
    Sleep(bool),
    /// A screen of this user was locked.
    Locked,
    /// Nobody says anything any more; what was announced may have been called off.
    Away,
}

/// Whether logind can be asked.
///
/// # Errors
/// Why not, for people, within some seconds.
pub(crate) async fn logind_answers() -> Result<(), String> {
    logind::answers().await.map_err(|error| error.to_string())
}

/// Minds logind as long as the keeper wants it to, and tells it the news.
pub(crate) async fn mind(mut wants: watch::Receiver<Wants>, inbox: Inbox) {
    let tell = |news| {
        // The keeper is gone only when the daemon is.
        let _ = inbox.send(Message::Desktop(news));
    };
    let mut coming = Coming::of(Bus::System).ok();
    // Each round is a time in which there is something to mind. An error: the keeper has gone.
    while wants.wait_for(|wants| wants.news).await.is_ok() {
        crash::at_work("desktop");
        let mut locks = Locks::default();
        let mut waits = Waits::default();
        while wants.borrow().news {
            match Logind::connect().await {
                Ok(mut logind) => {
                    waits = Waits::default();
                    let over = logind.mind(&mut wants, &mut locks, &tell).await;
                    tell(News::Away);
                    match over {
                        Ok(()) => break,
                        Err(error) => debug!("the system bus has gone: {error}"),
                    }
                }
                Err(error) => debug!("there is no system bus: {error}"),
            }
            let absent = coming.as_mut().and_then(|coming| {
                let absent = coming.look_out().is_ok_and(|absent| absent);
                absent.then_some(&*coming)
            });
            let wait = if absent.is_some() { AGAIN_LAST } else { waits.next() };
            tokio::select! {
                () = sleep(wait) => {}
                () = comes(absent) => {}
                done = wants.wait_for(|wants| !wants.news) => if done.is_err() { return },
            }
        }
    }
}

/// Waits for a bus that is not there; for ever if there is nothing to be told.
async fn comes(coming: Option<&Coming>) {
    if let Some(coming) = coming
        && coming.wait().await.is_ok()
    {
        return;
    }
    pending().await
}

/// Waits that grow.
#[derive(Debug, Default)]
struct Waits(Option<Duration>);

impl Waits {
    fn next(&mut self) -> Duration {
        let next = self.0.map_or(AGAIN_FIRST, |last| (last * 2).min(AGAIN_LAST));
        *self.0.insert(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_from_a_second_to_five_minutes() {
        let mut waits = Waits::default();
        let seconds: Vec<u64> = (0..11).map(|_| waits.next().as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
    }
}
