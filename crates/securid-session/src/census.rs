//! How many sessions there are in each phase, kept along so that nobody has to count them.

use crate::Phase;

/// The most sessions that are taken in, whatever their phase: some hundred times what a person has at once. Together
/// they take some 10 MB of memory and as much of disk.
pub const MOST_SESSIONS: usize = 10_000;

/// A count for each phase.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Census {
    counts: [usize; 5],
}

impl Census {
    /// A session goes from one phase to another; `None` before it came and after it has gone.
    pub(crate) fn note(&mut self, from: Option<Phase>, to: Option<Phase>) {
        if let Some(from) = from {
            let count = &mut self.counts[place(from)];
            *count = count.saturating_sub(1);
        }
        if let Some(to) = to {
            self.counts[place(to)] += 1;
        }
    }

    pub(crate) fn of(&self, phase: Phase) -> usize {
        self.counts[place(phase)]
    }
}

fn place(phase: Phase) -> usize {
    match phase {
        Phase::Adding => 0,
        Phase::Active => 1,
        Phase::Revoking => 2,
        Phase::Lost => 3,
        Phase::Ended => 4,
    }
}
