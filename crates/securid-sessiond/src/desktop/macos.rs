//! macOS: what a program without a run loop can notice by itself, which is that the machine has slept.
//!
//! That it is going to sleep, or that a screen is locked, is told to programs with a run loop alone (IOKit,
//! distributed notifications). A log-out and a shutdown come as SIGTERM.

use std::time::{Duration, Instant};

use securid_ipc::checks::CheckView;
use tokio::sync::watch;
use tokio::time::sleep;

use super::bubbles::Board;
use super::{News, Wants};
use crate::clock;
use crate::keeper::{Inbox, Message};

/// What is said of it in `doctor`.
pub(crate) const CHECK: &str = "sleep";

/// How often it is looked whether the machine has slept: what is to be revoked then is so much later at most. It is a
/// wake-up every 10 s, and that only while there is such a session.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// By so much more the clock that counts sleep has to have gone: two clocks are never read at the same instant.
const SLEPT: Duration = Duration::from_secs(1);

/// Why a config asks for this in vain.
pub(crate) fn in_vain(key: &str, value: &str) -> Option<&'static str> {
    match (key, value) {
        ("on_lock", "revoke") => Some(
            "counts for nothing on macOS: no screen that is locked is told of; idle_timeout ends what is not used",
        ),
        ("on_suspend", "revoke") => Some(
            "counts on macOS only when the machine has woken: until then the session is alive at the server",
        ),
        ("notify", "true") => {
            Some("counts for nothing on macOS, where nothing is shown: securid-ctl status tells")
        }
        _ => None,
    }
}

/// What the config's warnings have not said already.
pub(crate) async fn look() -> Vec<CheckView> {
    Vec::new()
}

/// Looks whether the machine has slept as long as that matters, and tells the keeper: for it, it goes to sleep
/// and has woken.
pub(crate) async fn mind(mut wants: watch::Receiver<Wants>, inbox: Inbox) {
    // Each round is a time in which it matters. An error: the keeper has gone.
    while wants.wait_for(|wants| wants.delay_sleep).await.is_ok() {
        let mut then = Clocks::read();
        while wants.borrow().delay_sleep {
            tokio::select! {
                () = sleep(LOOK_EVERY) => {}
                changed = wants.changed() => if changed.is_err() { return },
            }
            let now = Clocks::read();
            if now.slept_since(&then) {
                for news in [News::Sleep(true), News::Sleep(false)] {
                    // The keeper is gone only when the daemon is.
                    let _ = inbox.send(Message::Desktop(news));
                }
            }
            then = now;
        }
    }
}

/// Shows nothing.
pub(crate) async fn show(_: watch::Receiver<Board>) {}

/// A clock that stands still while the machine sleeps, and one that does not.
struct Clocks {
    awake: Instant,
    all: u64,
}

impl Clocks {
    /// `Instant` is CLOCK_UPTIME_RAW there.
    fn read() -> Self {
        Self { awake: Instant::now(), all: clock::now().since_boot }
    }

    fn slept_since(&self, then: &Self) -> bool {
        let all = Duration::from_millis(self.all.saturating_sub(then.all));
        all > self.awake.saturating_duration_since(then.awake) + SLEPT
    }
}
