//! Linux: logind, and whatever serves `org.freedesktop.Notifications`, over D-Bus.
//!
//! - `logind`: one connection to logind, from its first word to its last
//! - `inhibitors`: what keeps the machine from leaving before tokens are dead
//! - `locks`: which screens of ours are locked
//! - `notifications`: bubbles on the desktop

mod inhibitors;
mod locks;
mod logind;
mod notifications;

use std::future::pending;
use std::time::Duration;

use securid_bus::{Bus, Coming};
use securid_ipc::checks::CheckView;
use securid_store::crash;
use tokio::sync::watch;
use tokio::time::sleep;
use tracing::debug;

use super::{News, Wants};
use crate::keeper::{Inbox, Message};
use locks::Locks;
use logind::Logind;

pub(crate) use notifications::show;

/// What is said of it in `doctor`.
pub(crate) const CHECK: &str = "logind";

/// Why a config asks for this in vain: never here, for a logind or a server of bubbles that is missing now may come.
pub(crate) fn in_vain(_key: &str, _value: &str) -> Option<&'static str> {
    None
}

/// How long a call may take, or the way to the bus. A working bus answers in a millisecond; logind gives
/// a machine that wants to leave no more than 5 s either.
const DEADLINE: Duration = Duration::from_secs(5);

/// The first wait after logind, or the bus, could not be used: a bus that restarts is back in about a
/// second.
const AGAIN_FIRST: Duration = Duration::from_secs(1);

/// The longest such wait. Where there is no bus at all its coming is told, and this is for what could be missed: a wakeup
/// every five minutes, and that only while there are sessions.
const AGAIN_LAST: Duration = Duration::from_secs(5 * 60);

/// Whether logind can be asked.
pub(crate) async fn look() -> Vec<CheckView> {
    vec![match logind::answers().await {
        Ok(()) => CheckView::fine(CHECK, "", "it answers: on_lock and on_suspend can count"),
        Err(why) => CheckView::wrong(
            CHECK,
            "",
            format!("on_lock or on_suspend is \"revoke\", and logind does not tell when: {why}"),
        )
        .then("systemctl status systemd-logind dbus"),
    }]
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
