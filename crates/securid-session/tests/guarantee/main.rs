//! The guarantee over random lives: any order of events, any fate of every errand, crashes anywhere.
//!
//! `world` plays disk, keyring and server, and checks each rule as the machine acts.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../world/mod.rs"]
mod world;

use std::time::Duration;

use proptest::prelude::*;
use securid_session::{Action, Event, Limits, Policy, Reason, Source};
use world::{Fate, NEVER, Reply, Setting, Sights, World, id};

const SETTING: Setting = Setting {
    policy: Policy {
        retry_initial: Duration::from_secs(1),
        retry_max: Duration::from_secs(300),
        concurrency: 2,
    },
    seed: 42,
    slots: 4,
    origins: 2,
};
const IDLE: Limits = Limits { idle: Some(Duration::from_secs(20)), lifetime: None };
const BOTH: Limits = Limits { lifetime: Some(Duration::from_secs(60)), ..IDLE };

/// One thing that happens. Sessions and errands are named by an index into those that there are.
#[derive(Debug, Clone)]
enum Step {
    Add { slot: u64, source: Source, limits: Limits, tied: bool },
    Lend { slot: u64, span: Option<u64> },
    Touch { slot: u64 },
    Hold { slot: u64 },
    Release { slot: u64 },
    EndCall { slot: u64 },
    Revoke { slot: u64 },
    Abandon { slot: u64 },
    Retry { slot: u64 },
    Forget { slot: u64 },
    Limit { slot: u64, limits: Limits },
    Policy { concurrency: usize },
    ChangeNetwork,
    Stop { keep: bool },
    Wait { ms: u64 },
    Answer { which: usize, fate: Fate, reply: Reply },
    Crash { carried_out: u32, reboot: bool },
}

fn step() -> impl Strategy<Value = Step> {
    use Step::{
        Abandon, Add, Answer, ChangeNetwork, Crash, EndCall, Forget, Hold, Lend, Limit, Policy,
        Release, Retry, Revoke, Stop, Touch, Wait,
    };
    let slot = || 0..SETTING.slots;
    let source = prop_oneof![Just(Source::Login), Just(Source::Handover)];
    let limits = || prop_oneof![Just(NEVER), Just(IDLE), Just(BOTH)];
    let span = prop_oneof![Just(None), (0u64..60_000).prop_map(Some)];
    let fate = prop_oneof![
        6 => Just(Fate::Done),
        1 => Just(Fate::Failed),
        1 => Just(Fate::DoneButReportedFailed),
    ];
    let reply = prop_oneof![
        4 => Just(Reply::Revoked),
        2 => Just(Reply::Down),
        2 => Just(Reply::Unreached),
        1 => Just(Reply::Throttled),
        1 => Just(Reply::Lost),
    ];
    prop_oneof![
        6 => (slot(), source, limits(), prop::bool::weighted(0.3))
            .prop_map(|(slot, source, limits, tied)| Add { slot, source, limits, tied }),
        3 => (slot(), span).prop_map(|(slot, span)| Lend { slot, span }),
        1 => slot().prop_map(|slot| Touch { slot }),
        1 => slot().prop_map(|slot| Hold { slot }),
        1 => slot().prop_map(|slot| Release { slot }),
        1 => slot().prop_map(|slot| EndCall { slot }),
        3 => slot().prop_map(|slot| Revoke { slot }),
        1 => slot().prop_map(|slot| Abandon { slot }),
        1 => slot().prop_map(|slot| Retry { slot }),
        1 => slot().prop_map(|slot| Forget { slot }),
        2 => (slot(), limits()).prop_map(|(slot, limits)| Limit { slot, limits }),
        1 => (0usize..4).prop_map(|concurrency| Policy { concurrency }),
        2 => Just(ChangeNetwork),
        1 => any::<bool>().prop_map(|keep| Stop { keep }),
        4 => (0u64..20_000).prop_map(|ms| Wait { ms }),
        30 => (any::<usize>(), fate, reply)
            .prop_map(|(which, fate, reply)| Answer { which, fate, reply }),
        3 => (any::<u32>(), prop::bool::weighted(0.2))
            .prop_map(|(carried_out, reboot)| Crash { carried_out, reboot }),
    ]
}

fn carry_out(world: &mut World, step: Step) {
    match step {
        Step::Add { slot, source, limits, tied } => world.add(slot, source, limits, tied),
        Step::Lend { slot, span } => {
            let span = span.map(Duration::from_millis);
            world.event(Event::Lend { id: id(slot), span });
        }
        Step::Touch { slot } => world.event(Event::Touch { id: id(slot), span: None }),
        Step::Hold { slot } => world.event(Event::Hold { id: id(slot) }),
        Step::Release { slot } => world.release(slot),
        Step::EndCall { slot } => {
            if let Some(key) = world.key(slot) {
                world.event(Event::CallEnded { key });
            }
        }
        Step::Revoke { slot } => {
            world.event(Event::Revoke { id: id(slot), reason: Reason::Request })
        }
        Step::Abandon { slot } => world.abandon(slot),
        Step::Retry { slot } => world.event(Event::Retry { id: id(slot) }),
        Step::Forget { slot } => world.event(Event::Forget { id: id(slot) }),
        Step::Limit { slot, limits } => world.event(Event::Limits { id: id(slot), limits }),
        Step::Policy { concurrency } => world.set_policy(Policy { concurrency, ..SETTING.policy }),
        Step::ChangeNetwork => world.change_network(),
        Step::Stop { keep } => world.stop(keep),
        Step::Wait { ms } => wait(world, ms),
        Step::Answer { which, fate, reply } => answer(world, which, fate, reply),
        Step::Crash { carried_out, reboot } => {
            world.crash(carried_out, reboot);
            world.find_orphans();
        }
    }
}

/// Time passes, and the daemon's alarm rings whenever the machine asked for it.
fn wait(world: &mut World, ms: u64) {
    let end = world.now.after(Duration::from_millis(ms));
    while world.machine.wakes_at().is_some_and(|at| at <= end.since_boot) {
        world.wake();
    }
    world.now = end;
    world.event(Event::Tick);
}

fn answer(world: &mut World, which: usize, fate: Fate, reply: Reply) {
    let out = world.errands.len();
    // Servers are slower than disks and keyrings: attempts, which stand last, are answered last,
    // most of the time.
    let local = world.errands.iter().filter(|e| !matches!(e, Action::Attempt(_))).count();
    let among = if !which.is_multiple_of(4) && local > 0 { local } else { out };
    if among > 0 {
        world.answer(which / 4 % among, fate, reply);
    }
}

/// 2,000 lives take some seconds; `PROPTEST_CASES` asks for more.
fn config() -> ProptestConfig {
    let default = ProptestConfig::default();
    let asked = std::env::var_os("PROPTEST_CASES").is_some();
    ProptestConfig { cases: if asked { default.cases } else { 2_000 }, ..default }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn nothing_acknowledged_is_ever_forgotten(steps in prop::collection::vec(step(), 1..120)) {
        let mut world = World::new(SETTING);
        for step in steps {
            carry_out(&mut world, step);
        }
        world.heal();
    }
}

/// The rules above are worth something only if the random lives reach what they speak of.
#[test]
fn random_lives_reach_every_corner() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    let mut runner = TestRunner::deterministic();
    let mut seen = Sights::default();
    for _ in 0..2_000 {
        let steps = prop::collection::vec(step(), 1..120).new_tree(&mut runner).unwrap().current();
        let mut world = World::new(SETTING);
        for step in steps {
            carry_out(&mut world, step);
        }
        seen += world.sights;
    }
    println!("{seen:?}");
    assert!(seen.acknowledged > 1_000 && seen.lent > 100 && seen.confirmed > 500);
    assert!(seen.rejected > 100 && seen.forgotten > 20 && seen.crashes > 500);
    assert!(seen.late_answers > 0, "answers about tokens that are gone: {}", seen.late_answers);
    assert!(seen.attempts_from_memory > 20, "unwritable intents: {}", seen.attempts_from_memory);
    assert!(seen.expired > 100, "limits reached: {}", seen.expired);
    assert!(seen.hurried > 0, "brought forward by another network: {}", seen.hurried);
    assert!(seen.deserted > 50, "nobody holds them any more: {}", seen.deserted);
    assert!(seen.limited > 50, "limits changed and written: {}", seen.limited);
    assert!(seen.orphans > 20 && seen.rests > 100, "{} {}", seen.orphans, seen.rests);
}
