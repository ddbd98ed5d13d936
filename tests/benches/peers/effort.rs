//! How often each thing is measured.

use std::time::Duration;

/// Counts of one run.
pub(crate) struct Effort {
    /// Runs of each command line. A process takes one to three milliseconds, and one in ten meets something else that
    /// runs; the median of 200 stands within some per cent.
    pub(crate) commands: usize,
    /// Starts of each daemon.
    pub(crate) starts: usize,
    /// How long nobody asks anybody anything, for the count of wakeups.
    pub(crate) idle: Duration,
    /// How long daemons are left alone before their memory is looked at: idle threads and buffers go by then.
    pub(crate) settle: Duration,
    /// Rounds of requests over sockets.
    pub(crate) rounds: usize,
    /// Requests of a round: half a second's.
    pub(crate) requests: usize,
    /// Logouts at each latency.
    pub(crate) logouts: usize,
    /// Rounds of a shutdown.
    pub(crate) shutdowns: usize,
    /// Sessions at a shutdown, and of a burst of adds.
    pub(crate) sessions: usize,
    /// Numbers of sessions at which costs are looked at.
    pub(crate) growth: &'static [usize],
}

/// What the page is written from.
pub(crate) const WHOLE: Effort = Effort {
    commands: 200,
    starts: 40,
    idle: Duration::from_secs(30),
    settle: Duration::from_secs(15),
    rounds: 9,
    requests: 20_000,
    logouts: 15,
    shutdowns: 3,
    sessions: 1_000,
    growth: &[1, 100, 1_000, 10_000],
};

/// For trying out: every step once or a few times.
pub(crate) const QUICK: Effort = Effort {
    commands: 10,
    starts: 3,
    idle: Duration::from_secs(2),
    settle: Duration::from_secs(4),
    rounds: 2,
    requests: 1_000,
    logouts: 2,
    shutdowns: 1,
    sessions: 50,
    growth: &[1, 100],
};
