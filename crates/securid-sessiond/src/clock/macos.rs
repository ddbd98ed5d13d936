//! macOS: CLOCK_MONOTONIC, which counts sleep there, and a timer that looks at it now and then.

use std::io;
use std::time::Duration;

use rustix::time::{ClockId, Timespec, clock_gettime};
use securid_session::Moment;

use super::timer::Due;

/// How long the clock is not looked at. That the machine has woken is told to programs with a run loop alone, so
/// what has come due in its sleep is seen so much later: a wake-up a minute, and that only while something is to come due.
const STEP: Duration = Duration::from_secs(60);

/// What the clocks read at this instant. Other than on Linux, CLOCK_MONOTONIC counts sleep (clock_gettime(3)).
pub(crate) fn now() -> Moment {
    let boot = clock_gettime(ClockId::Monotonic);
    let wall = clock_gettime(ClockId::Realtime);
    Moment { since_boot: u64::try_from(millis(boot)).unwrap_or(0), unix: millis(wall) }
}

fn millis(time: Timespec) -> i64 {
    time.tv_sec.saturating_mul(1000).saturating_add(time.tv_nsec / 1_000_000)
}

/// Rings once at a reading of the boot clock.
pub(crate) struct Alarm(Due);

impl Alarm {
    /// An alarm that is not set.
    ///
    /// # Errors
    /// None here.
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self(Due::default()))
    }

    /// Sets it to ring at that many milliseconds since boot at the latest, or never.
    ///
    /// # Errors
    /// None here.
    pub(crate) fn set(&mut self, at: Option<u64>) -> io::Result<()> {
        self.0.set(at);
        Ok(())
    }

    /// Waits until it rings; then it is not set any more.
    ///
    /// # Errors
    /// None here.
    pub(crate) async fn ring(&mut self) -> io::Result<()> {
        while !self.0.wait(STEP).await {}
        Ok(())
    }
}
