//! One story: who does what when, at which server, with which schedule.

use std::ops::Range;
use std::time::Duration;

use securid_session::Policy;

use crate::clock::{DAY, Instant, SECOND};
use crate::fleet::{Deed, Fleet};
use crate::people::{SESSIONS, Spread};
use crate::server::{Overload, Server, State};
use crate::tally::Tally;

/// The config's defaults, as they stand in the contract.
pub(crate) const DEFAULTS: Policy = Policy {
    retry_initial: Duration::from_secs(1),
    retry_max: Duration::from_secs(5 * 60),
    concurrency: 32,
};

/// Any number would do; with the same one the same comes out.
const SEED: u64 = 18;

#[derive(Debug, Clone)]
pub(crate) struct Scenario {
    /// The first columns of its row.
    pub(crate) is: Vec<&'static str>,
    pub(crate) people: u32,
    pub(crate) deeds: Vec<(Spread, Deed)>,
    pub(crate) policy: Policy,
    /// Requests a second.
    pub(crate) pace: u64,
    pub(crate) overload: Overload,
    pub(crate) states: Vec<(Instant, State)>,
    /// The outage, or the evening.
    pub(crate) before: Range<Instant>,
    /// When the recovery begins, which ends with the last confirmation.
    pub(crate) back: Instant,
    /// Until when it is played, if it has no end.
    pub(crate) horizon: Instant,
}

/// A scenario that was played.
#[derive(Debug)]
pub(crate) struct Played {
    pub(crate) scenario: Scenario,
    pub(crate) tally: Tally,
}

impl Scenario {
    pub(crate) fn play(self) -> Played {
        let mut dice = fastrand::Rng::with_seed(SEED);
        let server = Server::new(self.pace, self.overload, self.states.clone());
        let mut fleet = Fleet::new(self.policy, server, dice.u64(..));
        for _ in 0..self.people {
            let sessions = dice.u64(SESSIONS);
            let deeds: Vec<(Instant, Deed)> =
                self.deeds.iter().map(|(spread, deed)| (spread.draw(&mut dice), *deed)).collect();
            fleet.join(sessions, &deeds);
        }
        let tally = fleet.play(self.horizon);
        Played { scenario: self, tally }
    }
}

impl Played {
    /// From when the server is back, or the machines are, until all is confirmed; `None` if nothing was left for
    /// it, or if it never ends.
    pub(crate) fn recovery(&self) -> Option<Range<Instant>> {
        let end = self.tally.confirmed_percent(100)?;
        (end > self.scenario.back).then_some(self.scenario.back..end)
    }

    /// How often the mean of the recovery its peak is.
    pub(crate) fn peak_to_mean(&self) -> Option<f64> {
        let recovery = self.recovery()?;
        Some(f64::from(self.tally.peak(recovery.clone())) / self.tally.mean(recovery))
    }
}

/// Whatever is not said otherwise: a server that is back for good, and three days.
pub(crate) fn ordinary() -> Scenario {
    Scenario {
        is: Vec::new(),
        people: 10_000,
        deeds: Vec::new(),
        policy: DEFAULTS,
        pace: 2_000,
        overload: Overload::Refused(None),
        states: Vec::new(),
        before: 0..SECOND,
        back: SECOND,
        horizon: 3 * DAY,
    }
}
