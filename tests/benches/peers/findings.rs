//! What was found: figures of ours and of others, each with all its rounds.

use std::time::Duration;

/// Whose figures are ours.
pub(crate) const OURS: &str = "securid";

/// What a figure counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Milliseconds.
    Ms,
    /// Kilobytes of memory, as the kernel counts them: 1,024 bytes.
    Kb,
    /// Megabytes on disk, of 1,000,000 bytes.
    Mb,
    /// So many a second.
    PerSecond,
    /// So many.
    Count,
}

impl Unit {
    /// As it stands behind a number.
    pub(crate) fn sign(self) -> &'static str {
        match self {
            Self::Ms => "ms",
            Self::Kb => "kB",
            Self::Mb => "MB",
            Self::PerSecond => "/s",
            Self::Count => "",
        }
    }
}

/// One figure of one program.
#[derive(Debug, Clone)]
pub(crate) struct Finding {
    /// The part of the benchmark.
    pub(crate) part: &'static str,
    /// What was measured.
    pub(crate) figure: String,
    /// Whose it is: [`OURS`], or the name of another.
    pub(crate) who: &'static str,
    /// What is counted.
    pub(crate) unit: Unit,
    /// Every round, sorted.
    pub(crate) rounds: Vec<f64>,
}

impl Finding {
    /// The one in the middle.
    pub(crate) fn median(&self) -> f64 {
        self.rounds[self.rounds.len() / 2]
    }
}

/// All of a run, in the order in which they were found.
#[derive(Debug, Default)]
pub(crate) struct Findings(Vec<Finding>);

impl Findings {
    /// Takes in the rounds of a figure. Of none nothing is known.
    pub(crate) fn put(
        &mut self,
        part: &'static str,
        figure: &str,
        who: &'static str,
        unit: Unit,
        mut rounds: Vec<f64>,
    ) {
        rounds.sort_by(f64::total_cmp);
        if !rounds.is_empty() {
            self.0.push(Finding { part, figure: figure.to_owned(), who, unit, rounds });
        }
    }

    /// The same of times.
    pub(crate) fn put_times(
        &mut self,
        part: &'static str,
        figure: &str,
        who: &'static str,
        rounds: &[Duration],
    ) {
        let rounds = rounds.iter().map(|took| took.as_secs_f64() * 1e3).collect();
        self.put(part, figure, who, Unit::Ms, rounds);
    }

    /// Every one.
    pub(crate) fn all(&self) -> &[Finding] {
        &self.0
    }

    /// Those of a part.
    pub(crate) fn of(&self, part: &str) -> impl Iterator<Item = &Finding> {
        self.0.iter().filter(move |found| found.part == part)
    }

    /// The median of one.
    pub(crate) fn median(&self, part: &str, figure: &str, who: &str) -> Option<f64> {
        let mut of = self.of(part);
        of.find(|found| found.figure == figure && found.who == who).map(Finding::median)
    }
}
