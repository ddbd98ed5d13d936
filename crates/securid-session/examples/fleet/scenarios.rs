//! The stories that `docs/fleet.md` tells.

use std::time::Duration;

use securid_session::Policy;

use crate::clock::{DAY, HOUR, Instant, MINUTE, SECOND};
use crate::fleet::Deed;
use crate::people::Spread;
use crate::scenario::{DEFAULTS, Scenario, ordinary};
use crate::server::{Overload, State};

const SIX: Instant = 18 * HOUR;
const EIGHT: Instant = DAY + 8 * HOUR;
const NINE: Instant = 9 * HOUR;

/// A common `Retry-After` of maintenance pages.
const TWO_MINUTES: Duration = Duration::from_secs(120);

/// 100,000 people leave; what is not confirmed when the power goes off is tried again in the morning.
pub(crate) fn leaving() -> Vec<Scenario> {
    let in_the_morning = Spread::Around { centre: EIGHT, sigma: 10 * MINUTE };
    let all_at_eight = Spread::Within { from: EIGHT, to: EIGHT + MINUTE };
    let about_six = Spread::Around { centre: SIX, sigma: 10 * MINUTE };
    let in_five = Spread::Within { from: SIX, to: SIX + 5 * MINUTE };
    let in_a_minute = Spread::Within { from: SIX, to: SIX + MINUTE };
    let in_a_second = Spread::Within { from: SIX, to: SIX + SECOND };
    let sends_away = Overload::Refused(None);
    let for_two_minutes = Overload::Refused(Some(TWO_MINUTES));
    [
        ("as people do", about_six, in_the_morning, "503", sends_away),
        ("in five minutes", in_five, in_the_morning, "503", sends_away),
        ("in one minute", in_a_minute, in_the_morning, "503", sends_away),
        ("in one minute", in_a_minute, in_the_morning, "lets them wait", Overload::Queued),
        ("in one second", in_a_second, all_at_eight, "503", sends_away),
        ("in one second", in_a_second, all_at_eight, "503, `Retry-After: 120`", for_two_minutes),
    ]
    .into_iter()
    .map(|(name, leave, come, does, overload)| Scenario {
        is: vec![name, does],
        people: 100_000,
        deeds: vec![(leave, Deed::ShutDown), (come, Deed::Boot)],
        overload,
        before: 17 * HOUR..19 * HOUR,
        back: match come {
            Spread::Around { centre, .. } => centre - HOUR,
            Spread::Within { from, .. } => from,
        },
        ..ordinary()
    })
    .collect()
}

/// 10,000 people lose their server at nine o'clock for so long, and log out meanwhile.
fn outage(is: Vec<&'static str>, long: Instant, state: State) -> Scenario {
    let back = NINE + long;
    Scenario {
        is,
        deeds: vec![(Spread::Within { from: NINE, to: back }, Deed::LogOut)],
        states: vec![(0, State::Up), (NINE, state), (back, State::Up)],
        before: NINE..back,
        back,
        ..ordinary()
    }
}

/// One server is lost for a while.
pub(crate) fn outages() -> Vec<Scenario> {
    let refuses = "refuses connections";
    let down = |is: &'static str, then: &'static str, long: Instant| {
        outage(vec![is, refuses, then], long, State::Refusing)
    };
    let five = 5 * MINUTE;
    let slow = "50 a second, else 503";
    let slow_and_says_so = "50 a second, else 503, `Retry-After: 120`";
    let date = State::SendsAwayUntil(NINE + HOUR);
    let at_once = Spread::Within { from: NINE, to: NINE + SECOND };
    let during = Spread::Within { from: NINE, to: NINE + HOUR - MINUTE };
    let boot = Spread::Within { from: NINE + HOUR, to: NINE + HOUR + MINUTE };
    vec![
        down("5 min", "works", five),
        down("1 h", "works", HOUR),
        down("12 h", "works", 12 * HOUR),
        outage(vec!["5 min", "swallows packets", "works"], five, State::Silent),
        outage(vec!["1 h", "swallows packets", "works"], HOUR, State::Silent),
        Scenario {
            deeds: vec![(at_once, Deed::LogOut)],
            ..down("1 h, all log out in its first second", "works", HOUR)
        },
        Scenario { pace: 50, ..down("5 min", slow, five) },
        Scenario {
            pace: 50,
            overload: Overload::Refused(Some(TWO_MINUTES)),
            ..down("5 min", slow_and_says_so, five)
        },
        Scenario {
            pace: 200,
            overload: Overload::Queued,
            ..down("5 min", "200 a second, the others wait", five)
        },
        outage(
            vec!["1 h", "503, `Retry-After: 120`", "works"],
            HOUR,
            State::SendsAway(TWO_MINUTES),
        ),
        outage(vec!["1 h", "503, `Retry-After:` its end", "works"], HOUR, date),
        Scenario {
            deeds: vec![(during, Deed::ShutDown), (boot, Deed::Boot)],
            ..down("1 h, all shut down, and boot in one minute", "works", HOUR)
        },
    ]
}

/// 10,000 people who come through one VPN lose it for an hour. When it is back, each machine notices that its network
/// has changed, all in one second.
pub(crate) fn networks() -> Vec<Scenario> {
    let back = NINE + HOUR;
    let notice = Spread::Within { from: back, to: back + SECOND };
    [("2,000 a second, else 503", 2_000), ("500 a second, else 503", 500)]
        .into_iter()
        .map(|(does, pace)| {
            let mut lost = outage(vec![does], HOUR, State::Silent);
            lost.deeds.push((notice, Deed::ChangeNetwork));
            Scenario { pace, ..lost }
        })
        .collect()
}

/// Five minutes without the server, and another config.
pub(crate) fn settings() -> Vec<Scenario> {
    let with = |is: &'static str, seconds: u64, pace: u64, does: &'static str, overload| Scenario {
        policy: Policy { retry_max: Duration::from_secs(seconds), ..DEFAULTS },
        pace,
        overload,
        horizon: NINE + 5 * MINUTE + HOUR,
        ..outage(vec![is, does], 5 * MINUTE, State::Refusing)
    };
    let refused = Overload::Refused(None);
    let (fast, line) = ("2,000 a second, else 503", "50 a second, the others wait");
    vec![
        with("`30s`", 30, 2_000, fast, refused),
        with("`5m`, the default", 300, 2_000, fast, refused),
        with("`1h`", 3_600, 2_000, fast, refused),
        with("`5m`, the default", 300, 50, line, Overload::Queued),
        with("`30m`", 1_800, 50, line, Overload::Queued),
    ]
}
