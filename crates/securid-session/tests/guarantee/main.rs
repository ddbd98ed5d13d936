//! The guarantee over random lives: any order of events, any fate of every errand, crashes anywhere.
//!
//! `world` plays disk, keyring and server; `rules` checks each rule as the machine acts.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod rules;
mod world;

use std::time::Duration;

use proptest::prelude::*;
use securid_session::{Event, Reason, Source};
use world::{Fate, Limit, Reply, SLOTS, World};

/// One thing that happens. Sessions and errands are named by an index into those that there are.
#[derive(Debug, Clone)]
enum Step {
    Add { slot: u64, source: Source, limit: Limit },
    Lend { slot: u64, span: Option<u64> },
    Touch { slot: u64 },
    Hold { slot: u64 },
    Release { slot: u64 },
    Revoke { slot: u64 },
    Abandon { slot: u64 },
    Retry { slot: u64 },
    Forget { slot: u64 },
    Stop { keep: bool },
    Wait { ms: u64 },
    Answer { which: usize, fate: Fate, reply: Reply },
    Crash { fates: Vec<bool>, reboot: bool },
}

fn step() -> impl Strategy<Value = Step> {
    use Step::{
        Abandon, Add, Answer, Crash, Forget, Hold, Lend, Release, Retry, Revoke, Stop, Touch, Wait,
    };
    let slot = || 0..SLOTS;
    let source = prop_oneof![Just(Source::Login), Just(Source::Handover)];
    let limit = prop_oneof![Just(Limit::Never), Just(Limit::Idle), Just(Limit::Both)];
    let span = prop_oneof![Just(None), (0u64..60_000).prop_map(Some)];
    let fate = prop_oneof![
        6 => Just(Fate::Done),
        1 => Just(Fate::Failed),
        1 => Just(Fate::DoneButReportedFailed),
    ];
    let reply = prop_oneof![
        4 => Just(Reply::Revoked),
        2 => Just(Reply::Down),
        1 => Just(Reply::Throttled),
        1 => Just(Reply::Lost),
    ];
    prop_oneof![
        6 => (slot(), source, limit)
            .prop_map(|(slot, source, limit)| Add { slot, source, limit }),
        3 => (slot(), span).prop_map(|(slot, span)| Lend { slot, span }),
        1 => slot().prop_map(|slot| Touch { slot }),
        1 => slot().prop_map(|slot| Hold { slot }),
        1 => slot().prop_map(|slot| Release { slot }),
        3 => slot().prop_map(|slot| Revoke { slot }),
        1 => slot().prop_map(|slot| Abandon { slot }),
        1 => slot().prop_map(|slot| Retry { slot }),
        1 => slot().prop_map(|slot| Forget { slot }),
        1 => any::<bool>().prop_map(|keep| Stop { keep }),
        4 => (0u64..20_000).prop_map(|ms| Wait { ms }),
        30 => (any::<usize>(), fate, reply)
            .prop_map(|(which, fate, reply)| Answer { which, fate, reply }),
        2 => (prop::collection::vec(any::<bool>(), 16), prop::bool::weighted(0.2))
            .prop_map(|(fates, reboot)| Crash { fates, reboot }),
    ]
}

fn carry_out(world: &mut World, step: Step) {
    let id = |world: &World, slot| world.id(slot);
    match step {
        Step::Add { slot, source, limit } => world.add(slot, source, limit),
        Step::Lend { slot, span } => {
            world.event(Event::Lend { id: id(world, slot), span: span.map(Duration::from_millis) });
        }
        Step::Touch { slot } => world.event(Event::Touch { id: id(world, slot), span: None }),
        Step::Hold { slot } => world.event(Event::Hold { id: id(world, slot) }),
        Step::Release { slot } => world.release(slot),
        Step::Revoke { slot } => {
            world.event(Event::Revoke { id: id(world, slot), reason: Reason::Request })
        }
        Step::Abandon { slot } => world.abandon(slot),
        Step::Retry { slot } => world.event(Event::Retry { id: id(world, slot) }),
        Step::Forget { slot } => world.forget(slot),
        Step::Stop { keep } => world.event(Event::Stop { keep }),
        Step::Wait { ms } => world.wait(ms),
        Step::Answer { which, fate, reply } => world.answer(which, fate, reply),
        Step::Crash { fates, reboot } => world.crash(&fates, reboot),
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
        let mut world = World::new();
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
    let mut seen = world::Sights::default();
    for _ in 0..2_000 {
        let steps = prop::collection::vec(step(), 1..120).new_tree(&mut runner).unwrap().current();
        let mut world = World::new();
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
}
