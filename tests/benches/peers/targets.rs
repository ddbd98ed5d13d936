//! What is wanted, as it was set before anything was measured.

use crate::findings::{Finding, Findings, OURS, Unit};
use crate::growth::{EACH, LIST, START, at};

/// One thing that is wanted of a figure of ours.
pub(crate) struct Target {
    pub(crate) part: &'static str,
    pub(crate) figure: String,
    pub(crate) wanted: Wanted,
}

/// What it may be.
pub(crate) enum Wanted {
    /// At most this.
    Most(f64),
    /// At most so many times what another has.
    MostOf(f64, &'static str),
    /// At least so many times what another has.
    LeastOf(f64, &'static str),
    /// At most so many times what the fastest peer has.
    MostOfFastest(f64),
}

/// How it came out.
pub(crate) struct Verdict {
    pub(crate) ours: f64,
    pub(crate) unit: Unit,
    /// Whose it is compared with, what that one has, and ours as so many times that.
    pub(crate) beside: Option<(&'static str, f64, f64)>,
    pub(crate) is_met: bool,
}

/// In the order of the page.
pub(crate) fn all() -> Vec<Target> {
    use Wanted::{LeastOf, Most, MostOf, MostOfFastest};
    let many = |what| at(what, 10_000);
    let wanted: Vec<(&'static str, String, Wanted)> = vec![
        ("cli", "list".into(), MostOfFastest(0.9)),
        ("cli", "list".into(), MostOf(0.5, "ssh-add -l")),
        ("cli", "list".into(), MostOf(1.6, "true")),
        ("cli", "token".into(), MostOfFastest(0.9)),
        ("cli", "token".into(), MostOf(0.5, "ssh-add -l")),
        ("cli", "token".into(), MostOf(1.6, "true")),
        ("memory", "PSS, idle".into(), Most(1_800.0)),
        ("memory", "PSS, idle".into(), MostOf(1.0, "ssh-agent")),
        ("memory", "PSS, after the first TLS".into(), Most(2_500.0)),
        ("memory", "PSS, Secret Service, logind".into(), Most(3_500.0)),
        ("memory", "private dirty, idle".into(), Most(1_000.0)),
        ("memory", "private dirty, after the first TLS".into(), Most(1_800.0)),
        ("memory", "threads, idle".into(), Most(3.0)),
        ("memory", "threads, Secret Service, logind".into(), Most(3.0)),
        ("memory", "wakeups, idle".into(), Most(0.0)),
        ("memory", "wakeups, Secret Service, logind".into(), Most(0.0)),
        ("start", "without records".into(), Most(3.0)),
        ("growth", many(START), Most(100.0)),
        ("requests", "32 kept connections".into(), LeastOf(1.0, "ssh-agent")),
        // One, and what the machine itself does meanwhile.
        ("logout", "round trips".into(), Most(1.1)),
        ("logout", "0 ms away".into(), MostOf(0.5, "curl")),
        ("logout", "20 ms away".into(), MostOf(0.5, "curl")),
        ("logout", "100 ms away".into(), MostOf(0.5, "curl")),
        ("shutdown", "all dead after, keyutils".into(), MostOf(1.1, "the server's own pace")),
        ("shutdown", "all dead after, keyutils".into(), MostOf(0.3, "xargs -P32 curl")),
        ("growth", many(LIST), Most(20.0)),
        ("growth", many(EACH), Most(1.0)),
        ("sizes", "daemon".into(), Most(4.0)),
        ("sizes", "command line".into(), Most(1.2)),
        ("sizes", "crates, daemon".into(), Most(150.0)),
    ];
    wanted.into_iter().map(|(part, figure, wanted)| Target { part, figure, wanted }).collect()
}

impl Target {
    /// How it came out; none if it was not measured, or the other one is not there.
    pub(crate) fn judge(&self, found: &Findings) -> Option<Verdict> {
        let of =
            |who: &str| found.of(self.part).find(|one| one.figure == self.figure && one.who == who);
        let (ours, unit) = of(OURS).map(|found| (found.median(), found.unit))?;
        let times = |other: &Finding| (other.who, other.median(), ours / other.median());
        let (beside, is_met) = match self.wanted {
            Wanted::Most(most) => (None, ours <= most),
            Wanted::MostOf(most, who) => {
                let beside = times(of(who)?);
                (Some(beside), beside.2 <= most)
            }
            Wanted::LeastOf(least, who) => {
                let beside = times(of(who)?);
                (Some(beside), beside.2 >= least)
            }
            Wanted::MostOfFastest(most) => {
                // `true` asks nobody anything.
                let peers = found
                    .of(self.part)
                    .filter(|one| one.figure == self.figure && ![OURS, "true"].contains(&one.who));
                let fastest = peers.min_by(|a, b| a.median().total_cmp(&b.median()))?;
                let beside = times(fastest);
                (Some(beside), beside.2 <= most)
            }
        };
        Some(Verdict { ours, unit, beside, is_met })
    }
}

impl Wanted {
    /// In words.
    pub(crate) fn words(&self, unit: Unit) -> String {
        match self {
            Self::Most(most) => format!("≤ {}", crate::table::amount(*most, unit)),
            Self::MostOf(most, who) => format!("≤ {most} × {who}"),
            Self::LeastOf(least, who) => format!("≥ {least} × {who}"),
            Self::MostOfFastest(most) => format!("≤ {most} × the fastest peer"),
        }
    }
}
