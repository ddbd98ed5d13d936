//! All that can happen in a world.

use std::time::Duration;

use securid_session::{Action, Event, Limits, Phase, Policy, Reason, Source};

use crate::world::{Fate, NEVER, Reply, Setting, World, id};

/// What is explored.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope {
    pub(crate) setting: Setting,
    /// So many slots hold an acknowledged session at the beginning.
    pub(crate) acknowledged: u64,
    /// Whether new tokens come in.
    pub(crate) adds: bool,
    /// How sessions end by themselves.
    pub(crate) limits: Limits,
    /// What the config says after each second reload, if it is read anew.
    pub(crate) other: Option<(Limits, Policy)>,
    /// Whether disk and keyring may fail, or fail to tell.
    pub(crate) faults: bool,
    /// Whether the daemon may die at any moment.
    pub(crate) crashes: bool,
    /// Whether networks come and go.
    pub(crate) networks: bool,
    /// Whether sessions are held, and those with limits lent for a while.
    pub(crate) holds: bool,
}

/// One thing that happens.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Step {
    Add { slot: u64, source: Source },
    FindOrphan { slot: u64 },
    Lend { slot: u64, span: Option<Duration> },
    Hold { slot: u64 },
    Release { slot: u64 },
    Read { slot: u64 },
    Revoke { slot: u64 },
    Abandon { slot: u64 },
    Retry { slot: u64 },
    Forget { slot: u64 },
    Limit { slot: u64, limits: Limits },
    Policy(Policy),
    ChangeNetwork,
    Stop { keep: bool },
    Wake,
    Sleep,
    Errand { at: usize, fate: Fate },
    Attempt { at: usize, reply: Reply },
    Crash { carried_out: u32, reboot: bool },
}

/// Longer than the first waits of failed errands, shorter than the longest.
const SPAN: Duration = Duration::from_secs(10);

/// Longer than every wait.
const NIGHT: u64 = 100_000;

impl Scope {
    /// Where it begins.
    pub(crate) fn root(&self) -> World {
        let mut world = World::new(self.setting);
        for slot in 0..self.acknowledged {
            self.take(&mut world, Step::Add { slot, source: Source::Login });
            while !world.errands.is_empty() {
                self.take(&mut world, Step::Errand { at: 0, fate: Fate::Done });
            }
        }
        world
    }

    /// Whatever can happen now. What would change nothing by the machine's first line, such as a
    /// `forget` of what is active, is left out.
    pub(crate) fn steps(&self, world: &World) -> Vec<Step> {
        let mut steps = Vec::new();
        for at in 0..world.errands.len() {
            self.answers(world, at, &mut steps);
        }
        for slot in 0..self.setting.slots {
            self.wishes(world, slot, &mut steps);
        }
        if let Some((_, other)) = self.other {
            let ours = world.policy == self.setting.policy;
            steps.push(Step::Policy(if ours { other } else { self.setting.policy }));
        }
        if self.networks && world.machine.count(Phase::Revoking) > 0 {
            steps.push(Step::ChangeNetwork);
        }
        match world.stopping {
            None => steps.extend([Step::Stop { keep: true }, Step::Stop { keep: false }]),
            Some(true) => steps.push(Step::Stop { keep: false }),
            Some(false) => {}
        }
        if world.machine.wakes_at().is_some() {
            steps.extend([Step::Wake, Step::Sleep]);
        }
        if self.crashes {
            for carried_out in 0..1 << world.errands.len() {
                let crash = |reboot| Step::Crash { carried_out, reboot };
                steps.extend([crash(false), crash(true)]);
            }
        }
        steps
    }

    fn answers(&self, world: &World, at: usize, steps: &mut Vec<Step>) {
        if matches!(world.errands[at], Action::Attempt(_)) {
            let replies = [Reply::Revoked, Reply::Down, Reply::Throttled, Reply::Lost];
            let unreached = self.networks.then_some(Reply::Unreached);
            let replies = replies.into_iter().chain(unreached);
            steps.extend(replies.map(|reply| Step::Attempt { at, reply }));
            return;
        }
        steps.push(Step::Errand { at, fate: Fate::Done });
        if self.faults {
            let fates = [Fate::Failed, Fate::DoneButReportedFailed];
            steps.extend(fates.map(|fate| Step::Errand { at, fate }));
        }
    }

    fn wishes(&self, world: &World, slot: u64, steps: &mut Vec<Step>) {
        let id = id(slot);
        let Some(session) = world.machine.session(&id) else {
            if self.adds && world.is_free(&id) {
                let add = |source| Step::Add { slot, source };
                steps.extend([add(Source::Login), add(Source::Handover)]);
            }
            if world.keyring.contains_key(&id) {
                steps.push(Step::FindOrphan { slot });
            }
            return;
        };
        steps.push(Step::Lend { slot, span: None });
        if !session.in_hand() {
            steps.push(Step::Read { slot });
        }
        if let Some((other, _)) = self.other {
            let ours = session.about().limits == self.limits;
            steps.push(Step::Limit { slot, limits: if ours { other } else { self.limits } });
        }
        match session.phase() {
            Phase::Adding => steps.push(Step::Abandon { slot }),
            Phase::Ended => {}
            Phase::Active => {
                steps.extend([Step::Revoke { slot }, Step::Abandon { slot }]);
                if self.holds {
                    // One holder stands for many.
                    let held = session.holds() > 0;
                    steps.push(if held { Step::Release { slot } } else { Step::Hold { slot } });
                }
                if self.holds && self.limits != NEVER {
                    steps.push(Step::Lend { slot, span: Some(SPAN) });
                }
            }
            Phase::Revoking => steps.extend([Step::Retry { slot }, Step::Forget { slot }]),
            Phase::Lost => {
                steps.extend([Step::Revoke { slot }, Step::Retry { slot }, Step::Forget { slot }]);
            }
        }
    }

    pub(crate) fn take(&self, world: &mut World, step: Step) {
        match step {
            Step::Add { slot, source } => world.add(slot, source, self.limits),
            Step::FindOrphan { slot } => world.find_orphan(slot),
            Step::Lend { slot, span } => world.event(Event::Lend { id: id(slot), span }),
            Step::Hold { slot } => world.event(Event::Hold { id: id(slot) }),
            Step::Release { slot } => world.release(slot),
            Step::Read { slot } => world.event(Event::Read { id: id(slot) }),
            // Why it is to end decides nothing; that of a stop makes fewer states.
            Step::Revoke { slot } => {
                world.event(Event::Revoke { id: id(slot), reason: Reason::Shutdown });
            }
            Step::Abandon { slot } => world.abandon(slot),
            Step::Retry { slot } => world.event(Event::Retry { id: id(slot) }),
            Step::Forget { slot } => world.event(Event::Forget { id: id(slot) }),
            Step::Limit { slot, limits } => world.event(Event::Limits { id: id(slot), limits }),
            Step::ChangeNetwork => world.change_network(),
            Step::Policy(policy) => world.set_policy(policy),
            Step::Stop { keep } => world.stop(keep),
            Step::Wake => world.wake(),
            Step::Sleep => world.sleep(NIGHT),
            Step::Errand { at, fate } => world.answer(at, fate, Reply::Revoked),
            Step::Attempt { at, reply } => world.answer(at, Fate::Done, reply),
            Step::Crash { carried_out, reboot } => world.crash(carried_out, reboot),
        }
    }
}
