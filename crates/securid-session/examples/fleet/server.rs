//! The server: what it can manage, what it says when that is too much, and when it is not there.

use std::time::Duration;

use securid_session::{Outcome, Verdict};

use crate::clock::{DAY, Instant, MILLISECOND, SECOND};

/// How long a request waits for its turn before a server that turns people away says 503.
const LONGEST_QUEUE: Instant = SECOND;

/// How a server is from some moment on.
#[derive(Debug, Clone, Copy)]
pub(crate) enum State {
    /// It works, as fast as it can.
    Up,
    /// Nobody listens: every connection is refused at once.
    Refusing,
    /// Packets vanish: nobody hears anything, and the attempt's own limit ends it.
    Silent,
    /// 503 to everybody, with a `Retry-After` in seconds.
    SendsAway(Duration),
    /// 503 to everybody, with a `Retry-After` of this date: when the work on it will be done.
    SendsAwayUntil(Instant),
}

/// What it does with more than it can manage.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Overload {
    /// 503, with or without a `Retry-After`.
    Refused(Option<Duration>),
    /// All wait in one line, however long it is. Those who give up stay in it: their work is done as well.
    Queued,
}

#[derive(Debug, Clone)]
pub(crate) struct Server {
    /// Requests a second.
    pub(crate) pace: u64,
    pub(crate) overload: Overload,
    /// From when on it is how; the first is from the beginning.
    pub(crate) states: Vec<(Instant, State)>,
    /// When it is through with all that it has taken on, in microseconds.
    busy_until: u64,
    /// Whether the token of this number is dead.
    dead: Vec<bool>,
}

/// How long after the request came in the daemon would hear this.
pub(crate) type Answer = (Instant, Verdict);

/// Longer than anybody waits.
const NEVER: Instant = DAY;

impl Server {
    pub(crate) fn new(pace: u64, overload: Overload, states: Vec<(Instant, State)>) -> Self {
        Self { pace, overload, states, busy_until: 0, dead: Vec::new() }
    }

    /// It has handed out so many tokens.
    pub(crate) fn issue(&mut self, tokens: usize) {
        self.dead = vec![false; tokens];
    }

    pub(crate) fn all_dead(&self) -> bool {
        self.dead.iter().all(|dead| *dead)
    }

    /// `logoutUser` with this token comes in at `now`.
    pub(crate) fn log_out(&mut self, now: Instant, token: usize) -> Answer {
        match self.state(now) {
            State::Up => self.work(now, token),
            State::Refusing => (0, unreached()),
            State::Silent => (NEVER, unreached()),
            State::SendsAway(span) => (0, unconfirmed(Some(span))),
            State::SendsAwayUntil(date) => {
                let span = Duration::from_millis(date.saturating_sub(now));
                // A date has whole seconds.
                (0, unconfirmed(Some(Duration::from_secs(span.as_secs() + 1))))
            }
        }
    }

    fn state(&self, now: Instant) -> State {
        self.states.iter().rev().find(|(from, _)| *from <= now).map_or(State::Up, |(_, s)| *s)
    }

    fn work(&mut self, now: Instant, token: usize) -> Answer {
        let micros = now * 1_000;
        let begins = self.busy_until.max(micros);
        let waits = (begins - micros).div_ceil(1_000);
        if let Overload::Refused(retry_after) = self.overload
            && waits > LONGEST_QUEUE
        {
            return (0, unconfirmed(retry_after));
        }
        self.busy_until = begins + 1_000_000 / self.pace;
        let was_dead = std::mem::replace(&mut self.dead[token], true);
        let outcome = if was_dead { Outcome::AlreadyInvalid } else { Outcome::Revoked };
        let verdict = Verdict::Dead { outcome, evidence: String::new() };
        (waits + MILLISECOND, verdict)
    }
}

fn unreached() -> Verdict {
    Verdict::Unreached { error: String::new() }
}

/// Anything but the word that counts.
pub(crate) fn unconfirmed(retry_after: Option<Duration>) -> Verdict {
    Verdict::Unconfirmed { error: String::new(), retry_after }
}
