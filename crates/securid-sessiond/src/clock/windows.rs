//! Windows: the milliseconds since the start, and a timer beside the word that the machine has woken.

use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use securid_session::Moment;
use securid_windows::power::Waking;
use tokio::sync::Notify;
use tracing::debug;

use super::timer::Due;

/// How long the clock is not looked at where waking is told, and where it is not: then what has come due in
/// the machine's sleep is seen so much later, at a wake-up a minute, and that only while something is to come due.
const TOLD: Duration = Duration::MAX;
const UNTOLD: Duration = Duration::from_secs(60);

/// What the clocks read at this instant. GetTickCount64 never jumps and counts sleep and hibernation ("Windows
/// Time", in Microsoft's documentation); QueryInterruptTime does too, and is finer than anybody's deadline here.
pub(crate) fn now() -> Moment {
    let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let unix = wall.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX));
    Moment { since_boot: securid_windows::power::ticks(), unix }
}

/// Rings once at a reading of the boot clock. Since Windows 8 a wait does not count the time that the machine sleeps, so
/// when it wakes the clock is looked at.
pub(crate) struct Alarm {
    due: Due,
    woken: Arc<Notify>,
    /// None where Windows does not tell.
    waking: Option<Waking>,
}

impl Alarm {
    /// An alarm that is not set.
    ///
    /// # Errors
    /// None here.
    pub(crate) fn new() -> io::Result<Self> {
        let woken = Arc::new(Notify::new());
        let tell = Arc::clone(&woken);
        let waking = Waking::told(move || tell.notify_one())
            .map_err(|error| debug!("Windows does not tell when the machine wakes: {error}"))
            .ok();
        Ok(Self { due: Due::default(), woken, waking })
    }

    /// Sets it to ring at that many milliseconds since boot at the latest, or never.
    ///
    /// # Errors
    /// None here.
    pub(crate) fn set(&mut self, at: Option<u64>) -> io::Result<()> {
        self.due.set(at);
        Ok(())
    }

    /// Waits until it rings; then it is not set any more.
    ///
    /// # Errors
    /// None here.
    pub(crate) async fn ring(&mut self) -> io::Result<()> {
        let step = if self.waking.is_some() { TOLD } else { UNTOLD };
        loop {
            tokio::select! {
                is_due = self.due.wait(step) => if is_due { return Ok(()) },
                () = self.woken.notified() => {}
            }
        }
    }
}
