//! The programs beside their peers, in the same run: `cargo bench -p securid-tests --bench peers`.
//!
//! ```sh
//! cargo bench -p securid-tests --bench peers                   # all parts, some ten minutes
//! cargo bench -p securid-tests --bench peers -- cli memory     # some of them
//! cargo bench -p securid-tests --bench peers -- --quick        # few rounds, for trying out
//! WRITE_PAGES=1 cargo bench -p securid-tests --bench peers     # writes docs/performance.md as well
//! ```
//!
//! The programs are built as a release has them; those of `SECURID_BIN_DIR` are taken instead where it is set.
//! What is compared runs in turn, so that whatever else the machine does meets all alike; of the rounds the
//! median counts, and of the medians the ratio. A peer that is not installed is said to be not there.
//!
//! | module | is |
//! |---|---|
//! | `arguments`, `effort` | what is asked for, and how often it is measured |
//! | `peer` | the peers: how each is started, furnished and asked, one file each |
//! | `ours` | our daemon in a house of its own |
//! | `load` | the one client that asks all of them over their sockets |
//! | `far` | a way to the server that takes its time |
//! | `scripts` | what does without a daemon: curl, Python, Node.js |
//! | `processes` | memory, threads and wakeups, as the kernel counts them |
//! | `cli`, `start`, `memory`, `requests`, `logout`, `shutdown`, `adding`, `growth`, `sizes` | a part each |
//! | `findings`, `targets` | what was found, and what is wanted |
//! | `table`, `pictures`, `page`, `surroundings` | how it is told |

// What cannot be had ends the benchmark.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod adding;
mod arguments;
mod cli;
mod effort;
mod far;
mod findings;
mod growth;
mod load;
mod logout;
mod memory;
mod ours;
mod page;
mod peer;
mod pictures;
mod processes;
mod requests;
mod scripts;
mod shutdown;
mod sizes;
mod start;
mod surroundings;
mod table;
mod targets;

use securid_tests::{programs, timed};

use arguments::Arguments;
use findings::Findings;

/// A part of the benchmark.
struct Part {
    name: &'static str,
    title: &'static str,
    measure: fn(&Arguments, &mut Findings),
}

/// In the order of the page. What needs a machine at rest comes first.
const PARTS: [Part; 9] = [
    Part { name: "sizes", title: "Sizes", measure: sizes::measure },
    Part { name: "memory", title: "Memory, threads, wakeups", measure: memory::measure },
    Part { name: "cli", title: "A round trip of the command line", measure: cli::measure },
    Part { name: "start", title: "Start to connectable", measure: start::measure },
    Part { name: "requests", title: "Requests a second", measure: requests::measure },
    Part { name: "logout", title: "One logout", measure: logout::measure },
    Part { name: "shutdown", title: "1,000 sessions at shutdown", measure: shutdown::measure },
    Part { name: "adding", title: "Adding 1,000 sessions", measure: adding::measure },
    Part { name: "growth", title: "Growth", measure: growth::measure },
];

fn main() {
    let arguments = Arguments::read();
    programs::use_release();
    // What was built just now would count as written to by whoever runs it, until the disk has it.
    rustix::fs::sync();
    for absent in peer::all().iter().filter(|peer| !peer.is_there()) {
        println!("{} is not there", absent.name);
    }
    let mut found = Findings::default();
    for part in PARTS.iter().filter(|part| arguments.wants(part.name)) {
        println!("\n{}", part.title);
        let ((), took) = timed(|| (part.measure)(&arguments, &mut found));
        println!("  (measured in {} s)", took.as_secs());
        print!("{}", table::plain(&table::beside(&found, part.name)));
    }
    println!("\nTargets");
    print!("{}", table::plain(&table::targets(&found, |part| arguments.wants(part))));
    if std::env::var_os("WRITE_PAGES").is_some() {
        page::write(&arguments, &found);
    }
}
