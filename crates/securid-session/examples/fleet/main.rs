//! What a fleet of daemons does to its server: the figures and drawings of `docs/fleet.md`.
//!
//! Each daemon is the real [`Machine`](securid_session::Machine), with its own seed, fed event by event in
//! simulated time; network, server, people, disks and keyrings are simulated. The dice are seeded, and no
//! function is used that machines compute differently: the same comes out everywhere, and a test
//! compares it with what the page says.
//!
//! ```sh
//! cargo run -p securid-session --example fleet     # writes the page's tables, and docs/fleet/*.svg
//! cargo test -p securid-session --example fleet    # compares
//! ```
//!
//! | module | is |
//! |---|---|
//! | `scenarios` | the stories that the page tells |
//! | `scenario` | one of them, and how it is played |
//! | `fleet` | many daemons and one server, event by event |
//! | `daemon` | one daemon, with a disk and a keyring that answer at once |
//! | `server` | what it can manage, and what it does with more |
//! | `people` | when people do what they do |
//! | `tally` | what is counted, second by second |
//! | `page`, `plot`, `words` | how it is said and drawn |
//! | `clock` | simulated time |

mod clock;
mod daemon;
mod fleet;
mod page;
mod people;
mod plot;
mod scenario;
mod scenarios;
mod server;
mod tally;
mod words;

use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::sync::Mutex;
use std::{fs, iter, thread};

use clock::{DAY, HOUR, MINUTE};
use plot::{View, draw};
use scenario::{Played, Scenario};

/// All that the page tells, played.
struct Findings {
    leaving: Vec<Played>,
    outages: Vec<Played>,
    networks: Vec<Played>,
    settings: Vec<Played>,
}

fn main() -> Result<(), String> {
    for (path, text) in documents(&Findings::new())? {
        fs::create_dir_all(path.parent().unwrap_or(&path))
            .and_then(|()| fs::write(&path, text))
            .map_err(|e| format!("{}: {e}", path.display()))?;
        println!("written: {}", path.display());
    }
    Ok(())
}

/// What is to stand in the page, and in the drawings beside it.
fn documents(found: &Findings) -> Result<Vec<(PathBuf, String)>, String> {
    let docs = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs"));
    let path = docs.join("fleet.md");
    let mut page = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    for (name, table) in [
        ("leaving", page::leaving(&found.leaving)),
        ("outages", page::outages(&found.outages)),
        ("networks", page::networks(&found.networks)),
        ("settings", page::settings(&found.settings)),
    ] {
        page = page::put(&page, name, &table)?;
    }
    let drawing = |name: &str, views: &[View<'_>]| (docs.join("fleet").join(name), draw(views));
    Ok(vec![
        (path, page),
        drawing("leaving.svg", &found.views_of_leaving()),
        drawing("outages.svg", &found.views_of_outages()),
    ])
}

impl Findings {
    fn new() -> Self {
        let parts = [
            scenarios::leaving(),
            scenarios::outages(),
            scenarios::networks(),
            scenarios::settings(),
        ];
        let sizes = parts.each_ref().map(Vec::len);
        let mut played = play(parts.into_iter().flatten().collect()).into_iter();
        let [leaving, outages, networks, settings] =
            sizes.map(|size| played.by_ref().take(size).collect());
        Self { leaving, outages, networks, settings }
    }

    fn views_of_leaving(&self) -> Vec<View<'_>> {
        let (six, eight) = (18 * HOUR, DAY + 8 * HOUR);
        let evening = six - MINUTE..six + 3 * MINUTE;
        let morning = eight - MINUTE..eight + 7 * MINUTE;
        let view = |nth: usize, title, during, mark| View {
            title,
            played: &self.leaving[nth],
            during,
            mark,
        };
        vec![
            view(0, "as people do", six - HOUR..six + HOUR, 30 * MINUTE),
            view(2, "in one minute: the evening", evening.clone(), MINUTE),
            view(2, "in one minute: the morning", eight - HOUR..eight + HOUR, 30 * MINUTE),
            view(4, "in one second: the evening", evening, MINUTE),
            view(4, "in one second: the morning", morning.clone(), MINUTE),
            view(5, "in one second, Retry-After: the morning", morning, MINUTE),
        ]
    }

    fn views_of_outages(&self) -> Vec<View<'_>> {
        let view = |nth: usize, title, long: u64, after: u64, mark| View {
            title,
            played: &self.outages[nth],
            during: 9 * HOUR..9 * HOUR + long + after,
            mark,
        };
        let five = 5 * MINUTE;
        vec![
            view(0, "lost for 5 minutes", five, 7 * MINUTE, 2 * MINUTE),
            view(1, "for an hour", HOUR, 10 * MINUTE, 10 * MINUTE),
            view(2, "for 12 hours", 12 * HOUR, HOUR, 2 * HOUR),
            view(6, "for 5 minutes, then it manages 50 a second", five, 11 * MINUTE, 2 * MINUTE),
            view(10, "for an hour, with Retry-After: its end", HOUR, 10 * MINUTE, 10 * MINUTE),
            view(11, "for an hour, and all boot in one minute", HOUR, 10 * MINUTE, 10 * MINUTE),
        ]
    }
}

/// Plays them, as many at once as there are cores; in the order given.
fn play(scenarios: Vec<Scenario>) -> Vec<Played> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let left = Mutex::new(scenarios.into_iter().enumerate());
    let next = || left.lock().ok().and_then(|mut left| left.next());
    let player = || iter::from_fn(next).map(|(nth, s)| (nth, s.play())).collect::<BTreeMap<_, _>>();
    let played = thread::scope(|scope| {
        let players: Vec<_> = (0..cores).map(|_| scope.spawn(player)).collect();
        players
            .into_iter()
            .flat_map(|player| player.join().unwrap_or_else(|e| resume_unwind(e)))
            .collect::<BTreeMap<_, _>>()
    });
    played.into_values().collect()
}

#[cfg(test)]
mod tests;
