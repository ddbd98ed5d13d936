//! Breadth first through all that can happen, so that the way to a broken rule is a shortest one.

use std::collections::HashSet;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use securid_session::Action;

use crate::outline::outline;
use crate::steps::{Scope, Step};
use crate::world::Sights;

/// How far the exploration came.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) states: usize,
    pub(crate) transitions: usize,
    pub(crate) healed: usize,
    /// How many steps away the farthest state is.
    pub(crate) depth: usize,
    /// Whether there are no more states than these.
    pub(crate) closed: bool,
    pub(crate) sights: Sights,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { states, transitions, healed, depth, closed, sights } = self;
        let end = if *closed { "closed" } else { "CUT at the bound" };
        write!(f, "{states} states, {transitions} transitions, depth {depth}, {end}; ")?;
        write!(f, "healed from {healed}; {sights:?}")
    }
}

/// How each state was reached: from which one, and by what.
type Ways = Vec<(u32, Step)>;

/// Takes every step from every state, up to so many states. From every `heal_each`th state on all
/// faults end, and everything has to come right.
///
/// # Panics
/// If a rule is broken; the way there is printed.
pub(crate) fn explore(scope: &Scope, bound: usize, heal_each: usize) -> Report {
    let mut report = Report { states: 1, ..Report::default() };
    let mut ways: Ways = vec![(0, Step::Wake)];
    let mut layer = vec![(0, scope.root())];
    let mut seen = HashSet::from([outline(&layer[0].1)]);
    while !layer.is_empty() {
        let mut next = Vec::new();
        for (from, world) in layer {
            for step in scope.steps(&world) {
                let mut after = world.clone();
                after.sights = Sights::default();
                guarded(scope, &ways, from, step, || scope.take(&mut after, step));
                report.transitions += 1;
                report.sights += after.sights;
                if !seen.insert(outline(&after)) {
                    continue;
                }
                if report.states.is_multiple_of(heal_each) {
                    let mut world = after.clone();
                    guarded(scope, &ways, from, step, || world.heal());
                    report.healed += 1;
                }
                ways.push((from, step));
                next.push((u32::try_from(report.states).unwrap(), after));
                report.states += 1;
                if report.states == bound {
                    report.depth += 1;
                    return report;
                }
            }
        }
        report.depth += usize::from(!next.is_empty());
        layer = next;
    }
    report.closed = true;
    report
}

/// Does it, and tells the way if it panics.
fn guarded(scope: &Scope, ways: &Ways, from: u32, step: Step, act: impl FnOnce()) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(act)) {
        tell(scope, ways, from, step);
        resume_unwind(panic);
    }
}

fn tell(scope: &Scope, ways: &Ways, mut from: u32, last: Step) {
    let mut steps = vec![last];
    while from != 0 {
        let (before, step) = ways[from as usize];
        steps.push(step);
        from = before;
    }
    let mut world = scope.root();
    println!("the way there, with what is out before each step:");
    for (nth, step) in steps.into_iter().rev().enumerate() {
        let out: Vec<String> = world.errands.iter().map(brief).collect();
        println!("{:3}. {step:?}  [{}]", nth + 1, out.join(", "));
        if catch_unwind(AssertUnwindSafe(|| scope.take(&mut world, step))).is_err() {
            return;
        }
    }
    println!("  then all faults end.");
}

fn brief(errand: &Action) -> String {
    match errand {
        Action::Write(record) => {
            format!("Write({} {})", record.key, record.stage.name())
        }
        Action::Archive(record) => format!("Archive({})", record.key),
        other => format!("{other:?}"),
    }
}
