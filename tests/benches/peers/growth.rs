//! What it costs to have many sessions: start, list, memory, a request.

use std::thread::sleep;
use std::time::Duration;

use securid_tests::{House, timed};

use crate::arguments::Arguments;
use crate::findings::{Findings, OURS, Unit};
use crate::load::kept;
use crate::ours::{AT_ONCE, ROOMY, active, add, asked, ctl, plan};
use crate::processes::used;
use crate::start::start_ours;

const PART: &str = "growth";

/// What is looked at.
pub(crate) const START: &str = "start";
pub(crate) const LIST: &str = "list";
pub(crate) const MEMORY: &str = "memory";
pub(crate) const REQUESTS: &str = "requests, one connection";
pub(crate) const EACH: &str = "memory each";

/// A figure at so many sessions.
pub(crate) fn at(what: &str, sessions: usize) -> String {
    let number = securid_manual::drawing::number(sessions as u64);
    format!("{what}, {number} session{}", if sessions == 1 { "" } else { "s" })
}

pub(crate) fn measure(arguments: &Arguments, found: &mut Findings) {
    let effort = &arguments.effort;
    let mut house = House::open(plan(ROOMY));
    let mut some = String::new();
    let mut have = 0;
    let mut first = None;
    for &sessions in effort.growth {
        some = add(&house, sessions - have, AT_ONCE).pop().unwrap_or(some);
        have = sessions;

        let mut starts = Vec::new();
        for _ in 0..effort.starts.div_ceil(4) {
            assert!(house.terminate_keeping().success(), "{}", house.log());
            let (took, status) = start_ours(&mut house);
            assert_eq!(active(&status), sessions as u64, "sessions are forgotten: {status}");
            starts.push(took);
        }
        found.put_times(PART, &at(START, sessions), OURS, &starts);

        let lists: Vec<_> = (0..effort.commands.div_ceil(4)).map(|_| list(&house)).collect();
        found.put_times(PART, &at(LIST, sessions), OURS, &lists);

        let show = asked("session.show", &format!("{{\"session\":\"{some}\"}}"));
        let rate = || kept(&house.socket(), &show, 1, effort.requests / 4);
        let rates = (0..effort.rounds).map(|_| rate()).collect();
        found.put(PART, &at(REQUESTS, sessions), OURS, Unit::PerSecond, rates);

        // As after a start: what lists have needed goes with them.
        assert!(house.terminate_keeping().success(), "{}", house.log());
        start_ours(&mut house);
        sleep(effort.settle);
        let Some(used) = used(house.pid()) else { continue };
        found.put(PART, &at(MEMORY, sessions), OURS, Unit::Kb, vec![used.pss]);
        let (fewest, least) = *first.get_or_insert((sessions, used.pss));
        if sessions > fewest {
            let each = (used.pss - least) / (sessions - fewest) as f64;
            found.put(PART, &at(EACH, sessions), OURS, Unit::Kb, vec![each]);
        }
    }
}

fn list(house: &House) -> Duration {
    let mut list = ctl(house, &["list"]);
    let (status, took) = timed(|| list.status());
    assert!(status.is_ok_and(|status| status.success()), "list");
    took
}
