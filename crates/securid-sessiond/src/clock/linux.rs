//! Linux: the boot clock, and a timerfd on it.

use std::io;

use rustix::time::{
    ClockId, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, clock_gettime,
    timerfd_create, timerfd_settime,
};
use securid_session::Moment;
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;

/// What the clocks read at this instant. CLOCK_BOOTTIME never jumps and counts sleep.
pub(crate) fn now() -> Moment {
    let boot = clock_gettime(ClockId::Boottime);
    let wall = clock_gettime(ClockId::Realtime);
    Moment { since_boot: u64::try_from(millis(boot)).unwrap_or(0), unix: millis(wall) }
}

fn millis(time: Timespec) -> i64 {
    time.tv_sec.saturating_mul(1000).saturating_add(time.tv_nsec / 1_000_000)
}

/// Rings once at a reading of the boot clock. Tokio's own timers stand still while the machine
/// sleeps, and a deadline that passed in the night must be enforced in the morning.
///
/// It is a timerfd. Tokio's own way to wait for a foreign descriptor, `AsyncFd`, is unsafe; a timerfd
/// is read just like a pipe, and waiting for that is safe.
pub(crate) struct Alarm {
    timer: pipe::Receiver,
    set_to: Option<u64>,
}

impl Alarm {
    /// An alarm that is not set.
    ///
    /// # Errors
    /// If the process has no file descriptor left.
    pub(crate) fn new() -> io::Result<Self> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let timer = timerfd_create(TimerfdClockId::Boottime, flags)?;
        Ok(Self { timer: pipe::Receiver::from_owned_fd_unchecked(timer)?, set_to: None })
    }

    /// Sets it to ring at that many milliseconds since boot at the latest, or never. Where it rings earlier already, that
    /// stays: a session that is used all the time would cost a system call each time, and so it costs an idle ring
    /// now and then.
    ///
    /// # Errors
    /// None that the kernel documents for these arguments.
    pub(crate) fn set(&mut self, at: Option<u64>) -> io::Result<()> {
        let stays = match (at, self.set_to) {
            (Some(at), Some(set_to)) => set_to <= at,
            (at, set_to) => at == set_to,
        };
        if stays {
            return Ok(());
        }
        // Zero would switch it off; a moment that has passed rings at once.
        let value = at.map_or(Timespec { tv_sec: 0, tv_nsec: 0 }, |ms| Timespec {
            tv_sec: i64::try_from(ms.max(1) / 1000).unwrap_or(i64::MAX),
            tv_nsec: i64::try_from(ms.max(1) % 1000).unwrap_or(0) * 1_000_000,
        });
        let once = Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value: value };
        timerfd_settime(&self.timer, TimerfdTimerFlags::ABSTIME, &once)?;
        self.set_to = at;
        Ok(())
    }

    /// Waits until it rings; then it is not set any more.
    ///
    /// # Errors
    /// If the runtime is going down.
    pub(crate) async fn ring(&mut self) -> io::Result<()> {
        let mut expirations = [0; 8];
        self.timer.read_exact(&mut expirations).await?;
        self.set_to = None;
        Ok(())
    }
}
