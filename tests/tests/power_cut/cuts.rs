//! All power cuts.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use fastrand::Rng;
use securid_tests::lives::Life;
use securid_tests::trace::Pass;
use securid_tests::{MortalHouse, Server};

use crate::cut::Cut;
use crate::facts::{self, Facts};
use crate::platter::{Fate, Platter};

/// Houses at once: each serves its own recording, one cut after the other.
const AT_ONCE: usize = 6;

/// So many houses share the cuts of a life.
const PARTS: usize = 3;

/// Chances that are taken at each prefix, besides nothing, names alone and everything.
const CHANCES: u64 = 8;

/// The seed unless `SECURID_POWER_CUTS_SEED` says another.
const SEED: u64 = 1;

/// A daemon's life, written down, and the house in which it was played.
pub(crate) struct Recording {
    house: MortalHouse,
    passes: Vec<Pass>,
    tokens: BTreeMap<String, String>,
}

impl Recording {
    /// Plays a life to its end.
    pub(crate) fn of(life: &Life, keyring: &'static str) -> Self {
        let mut house = MortalHouse::build(keyring, Server::Confirms);
        if let Some(before) = life.before {
            before(&mut house).expect("nothing kills it");
        }
        house.start().expect("nothing kills it");
        (life.play)(&mut house).expect("nothing kills it");
        if house.runs() {
            house.until_idle().expect("nothing kills it");
        }
        house.end();
        house.after_the_death();
        let passes = house.take_trace();
        let tokens = facts::tokens(&house, &passes);
        Self { house, passes, tokens }
    }

    /// Leaves an operation out wherever it stands.
    pub(crate) fn leave_out(&mut self, op: &str) {
        self.passes.retain(|pass| pass.line["op"] != op);
    }

    /// What is broken if the power goes right after this point.
    pub(crate) fn broken_after(&mut self, point: &str, fate: Fate) -> Option<String> {
        let at = self.passes.iter().position(|pass| pass.point == point).expect("it is passed");
        let (mut platter, mut facts) = (self.platter(), Facts::new());
        for pass in &self.passes[..=at] {
            platter.apply(&pass.line);
            facts::learn(&mut facts, pass, &self.tokens);
        }
        let image = platter.left(&mut fate.clone());
        let (carried_out, undeleted, rebooted) = (false, false, false);
        self.broken(&Cut { image, facts, carried_out, undeleted, rebooted })
    }

    fn platter(&self) -> Platter {
        Platter::new(&self.house.house.path("disk"))
    }

    fn broken(&mut self, cut: &Cut) -> Option<String> {
        let judged = catch_unwind(AssertUnwindSafe(|| cut.judge(&mut self.house)));
        if self.house.runs() {
            self.house.end();
        }
        judged.err().map(|panic| match panic.downcast::<String>() {
            Ok(message) => *message,
            Err(_) => "it failed".to_owned(),
        })
    }

    /// The prefixes, each with the disks that the power may leave.
    fn cuts(&self, life: &Life, seed: u64) -> Vec<(String, Vec<Cut>)> {
        let (mut platter, mut facts) = (self.platter(), Facts::new());
        let mut seen = HashSet::new();
        let mut all = Vec::new();
        for (n, pass) in self.passes.iter().enumerate() {
            platter.apply(&pass.line);
            facts::learn(&mut facts, pass, &self.tokens);
            let dice = |chance: u64| {
                let mut hasher = DefaultHasher::new();
                (seed, life.name, n, chance).hash(&mut hasher);
                Rng::with_seed(hasher.finish())
            };
            let mut cuts = Vec::new();
            let fates = [Fate::Nothing, Fate::NamesAlone, Fate::Everything].into_iter();
            for (i, mut fate) in
                fates.chain((0..CHANCES).map(|c| Fate::Chance(dice(c)))).enumerate()
            {
                let image = platter.left(&mut fate);
                let (carried_out, undeleted) = match &mut fate {
                    Fate::Chance(dice) => (dice.bool(), dice.bool()),
                    _ => (i == 2, false),
                };
                for rebooted in [false, true] {
                    let facts = facts.clone();
                    let cut = Cut { image: image.clone(), facts, carried_out, undeleted, rebooted };
                    if seen.insert(cut.clone()) {
                        cuts.push(cut);
                    }
                }
            }
            all.push((pass.name(), cuts));
        }
        all
    }
}

#[derive(Default)]
struct Tally {
    /// The ways of those prefixes that are taken care of: lives begin alike.
    ways: HashSet<Vec<String>>,
    prefixes: usize,
    /// Laid out anew, each with what was promised by then.
    disks: usize,
    starts: usize,
    failed: Vec<String>,
}

/// Cuts the power at every prefix of every life.
///
/// # Panics
/// If anything is forgotten.
pub(crate) fn all_cuts(lives: &[Life], keyring: &'static str) {
    let began = Instant::now();
    let seed = std::env::var("SECURID_POWER_CUTS_SEED")
        .map_or(SEED, |seed| seed.parse().expect("SECURID_POWER_CUTS_SEED is a number"));
    let parts = lives.iter().flat_map(|life| (0..PARTS).map(move |part| (*life, part)));
    let queue: Mutex<VecDeque<(Life, usize)>> = Mutex::new(parts.collect());
    let tally = Mutex::new(Tally::default());
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                let next = || lock(&queue).pop_front();
                while let Some((life, part)) = next() {
                    part_of_a_life((&life, keyring), part, seed, &tally);
                }
            });
        }
    });
    let tally = tally.into_inner().unwrap_or_else(PoisonError::into_inner);
    println!(
        "{} prefixes, {} disks, {} starts, {:.0?}, seed {seed}",
        tally.prefixes,
        tally.disks,
        tally.starts,
        began.elapsed()
    );
    assert!(tally.failed.is_empty(), "{} failed: {:#?}", tally.failed.len(), tally.failed);
}

fn part_of_a_life(
    (life, keyring): (&Life, &'static str),
    part: usize,
    seed: u64,
    tally: &Mutex<Tally>,
) {
    let mut recording = Recording::of(life, keyring);
    let mut way = Vec::new();
    for (n, (point, cuts)) in recording.cuts(life, seed).into_iter().enumerate() {
        way.push(point.clone());
        if n % PARTS != part || (life.before.is_none() && !lock(tally).ways.insert(way.clone())) {
            continue;
        }
        {
            let mut tally = lock(tally);
            tally.prefixes += 1;
            tally.disks += cuts.iter().map(|cut| &cut.image).collect::<HashSet<_>>().len();
            tally.starts += cuts.len();
        }
        for cut in &cuts {
            if let Some(broken) = recording.broken(cut) {
                lock(tally).failed.push(format!("{} | {point}: {broken}", life.name));
            }
        }
    }
}

fn lock<T>(shared: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
