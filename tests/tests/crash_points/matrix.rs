//! The cells: all of them, or a sample that is the same for the same seed.

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use securid_tests::Server;
use securid_tests::lives::Life;
use securid_tests::trace::Pass;

use crate::cell::{Cell, First, Played};

/// Cells played at once: they mostly wait for the disk and for processes to start.
const AT_ONCE: usize = 6;

/// Deaths of the recovery for each death of a life, in a full run.
const SECONDS_OF_ALL: usize = 6;

/// One of so many deaths is followed by a second one, in a sample.
const SECONDS_OF_SAMPLE: u64 = 4;

/// What becomes of a cell whose daemon took another way this time, and did not pass the point.
const NOT_REACHED: &str = "a death did not come about";

/// At most one of so many: threads run as they like, and one write may serve two changes.
const LIVES_DIFFER: usize = 20;

/// The seed unless `SECURID_MATRIX_SEED` says another.
const SEED: u64 = 1;

/// What the server may do with a logout.
const SERVERS: [Server; 4] =
    [Server::Confirms, Server::HasEndedThem, Server::LosesReplies, Server::IsDown];

/// How much of it is played.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Extent {
    /// Each death with each server, and several second deaths for each.
    All,
    /// Each death with each server; second deaths for some.
    Sample,
    /// Each death, with a server that confirms.
    Confirmed,
}

impl Extent {
    /// What `SECURID_MATRIX` says: `all`, or a sample.
    pub(crate) fn wanted() -> Self {
        match std::env::var("SECURID_MATRIX").as_deref() {
            Ok("all") => Self::All,
            Ok(other) => panic!("SECURID_MATRIX is {other:?}, and it can only be `all`"),
            Err(_) => Self::Sample,
        }
    }
}

/// What a life passes if nothing kills its daemon.
pub(crate) fn traced(lives: &[Life], keyring: &'static str) -> Vec<(Life, Vec<Pass>)> {
    let trace = |life: &Life| {
        let (server, first) = (Server::Confirms, First::AtTheEnd);
        let cell = Cell { life: *life, keyring, server, first, second: None };
        (*life, cell.play().life)
    };
    lives.iter().map(trace).collect()
}

/// All that is to be played, and what came of it.
pub(crate) struct Matrix {
    extent: Extent,
    seed: u64,
    cells: VecDeque<Cell>,
    tally: Tally,
}

#[derive(Default)]
struct Tally {
    points: BTreeSet<String>,
    deaths: usize,
    cells: usize,
    counts: BTreeMap<&'static str, usize>,
    /// After which points the token of a login was left alive and unknown.
    windows: BTreeSet<String>,
    failed: Vec<String>,
}

impl Matrix {
    /// The cells with one death, from a playing in which nothing dies.
    pub(crate) fn new(lives: &[Life], keyring: &'static str, extent: Extent) -> Self {
        let seed = std::env::var("SECURID_MATRIX_SEED")
            .map_or(SEED, |seed| seed.parse().expect("SECURID_MATRIX_SEED is a number"));
        let servers = if extent == Extent::Confirmed { &SERVERS[..1] } else { &SERVERS };
        let mut cells = VecDeque::new();
        let mut tally = Tally::default();
        let mut seen = HashSet::new();
        for &server in servers {
            for life in lives {
                let cell = |first| Cell { life: *life, keyring, server, first, second: None };
                let passes = cell(First::AtTheEnd).play().life;
                for (i, pass) in passes.iter().enumerate() {
                    let way: Vec<_> = passes[..=i].iter().map(Pass::name).collect();
                    // Lives begin alike, and one death of a kind is enough.
                    if life.before.is_some() || seen.insert((server, way)) {
                        tally.points.insert(pass.point.clone());
                        cells.push_back(cell(First::At(pass.name())));
                    }
                }
                // What the server has ended itself never gets as far as being carried out.
                let killed = life.at_server.iter().filter(|_| server != Server::HasEndedThem);
                cells.extend(killed.map(|at| cell(First::Killed(*at))));
            }
        }
        tally.deaths = cells.len();
        Self { extent, seed, cells, tally }
    }

    /// Plays all of it and says what came of it.
    ///
    /// # Panics
    /// If any cell fails.
    pub(crate) fn play(self) {
        let began = Instant::now();
        let (extent, seed) = (self.extent, self.seed);
        let (cells, tally) = (Mutex::new(self.cells), Mutex::new(self.tally));
        thread::scope(|scope| {
            for _ in 0..AT_ONCE {
                scope.spawn(|| {
                    // Apart, so that the lock is not held while the cell is played.
                    let next = || lock(&cells).pop_front();
                    while let Some(cell) = next() {
                        let Some(played) = self::played(&cell, &tally) else { continue };
                        for second in seconds(extent, seed, &cell, &played.recovery) {
                            let again = Cell { second: Some(second), ..cell.clone() };
                            let _ = self::played(&again, &tally);
                        }
                    }
                });
            }
        });
        tally.into_inner().unwrap_or_else(PoisonError::into_inner).tell(seed, began);
    }
}

/// Plays one cell and notes what came of it, if it did not fail.
fn played(cell: &Cell, tally: &Mutex<Tally>) -> Option<Played> {
    let played = catch_unwind(AssertUnwindSafe(|| cell.play()));
    let mut tally = lock(tally);
    match played {
        Ok(played) => {
            tally.note(cell, &played);
            Some(played)
        }
        Err(_) => {
            eprintln!("^ that was {cell}");
            tally.failed.push(cell.to_string());
            None
        }
    }
}

/// At which passes of its recovery a cell is to die again.
fn seconds(extent: Extent, seed: u64, cell: &Cell, recovery: &[Pass]) -> Vec<String> {
    let mut hasher = DefaultHasher::new();
    (seed, cell.to_string()).hash(&mut hasher);
    let mut dice = fastrand::Rng::with_seed(hasher.finish());
    let wanted = match extent {
        Extent::All => SECONDS_OF_ALL,
        Extent::Sample => usize::from(dice.u64(..SECONDS_OF_SAMPLE) == 0),
        Extent::Confirmed => 0,
    };
    dice.choose_multiple(recovery, wanted).into_iter().map(Pass::name).collect()
}

impl Tally {
    fn note(&mut self, cell: &Cell, played: &Played) {
        let outcome = match (played.died_first, &cell.second, played.died_second) {
            (true, None, _) => "died once",
            (true, Some(_), true) => "died twice",
            _ => NOT_REACHED,
        };
        self.cells += 1;
        *self.counts.entry(outcome).or_default() += 1;
        if played.unknown > 0 {
            *self.counts.entry("a login's token alive and unknown").or_default() += 1;
            self.windows.insert(match &cell.first {
                First::At(pass) => pass.split('#').next().unwrap_or_default().to_owned(),
                other => format!("{other:?}"),
            });
        }
        let lost = played.in_login_window && cell.server != Server::HasEndedThem;
        // Where the point was not reached the daemon was killed at no point in particular.
        if (played.unknown > 0) != lost && (played.died_first || !lost) {
            self.failed.push(format!("{cell}: {} unknown tokens", played.unknown));
        }
    }

    fn tell(&self, seed: u64, began: Instant) {
        println!(
            "{} points, {} first deaths, {:.0?}, seed {seed}",
            self.points.len(),
            self.deaths,
            began.elapsed()
        );
        self.counts.iter().for_each(|(outcome, count)| println!("{count:6} {outcome}"));
        println!("a login's token is left alive and unknown after {:?}", self.windows);
        assert!(self.failed.is_empty(), "{} cells failed: {:#?}", self.failed.len(), self.failed);
        let missed = self.counts.get(NOT_REACHED).copied().unwrap_or_default();
        assert!(missed <= self.cells / LIVES_DIFFER, "{missed} deaths did not come about");
    }
}

fn lock<T>(shared: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
