//! Waiting for what is to happen soon, and saying loudly what cannot be tested here.

use std::io::{self, Write};
use std::thread;
use std::time::{Duration, Instant};

/// How long anything may take that is to happen at once: far more than it needs, because the
/// machine may be building something else meanwhile.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// How often a probe is tried: often enough that a test loses no time, and hardly any load.
const STEP: Duration = Duration::from_millis(10);

/// Probes until there is something, for at most [`PATIENCE`].
///
/// # Panics
/// If it never came.
pub fn eventually<T>(what: &str, probe: impl FnMut() -> Option<T>) -> T {
    within(PATIENCE, what, probe)
}

/// Probes until there is something, for at most `limit`.
///
/// # Panics
/// If it never came.
pub fn within<T>(limit: Duration, what: &str, mut probe: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = probe() {
            return found;
        }
        assert!(began.elapsed() < limit, "waited {limit:?} in vain for {what}");
        thread::sleep(STEP);
    }
}

/// Runs `work` and gives back how long it took besides what it gave.
pub fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let began = Instant::now();
    let result = work();
    (result, began.elapsed())
}

/// Says that a test could not be made here. Where everything is to be there (`CI=true`), that is a
/// failure.
///
/// # Panics
/// If `CI` is `true`.
pub fn skipped(why: &str) {
    let name = thread::current().name().unwrap_or("a test").to_owned();
    assert!(std::env::var("CI").as_deref() != Ok("true"), "SKIPPED: {name}: {why}");
    // Not `eprintln!`, which cargo keeps to itself as long as a test passes.
    let _ = writeln!(io::stderr(), "SKIPPED: {name}: {why}");
}

/// Whether a program is there to be run; if not, the test that needs it is [`skipped`].
#[must_use]
pub fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let there = std::env::split_paths(&path).any(|folder| folder.join(program).is_file());
    if !there {
        skipped(&format!("{program} is not installed"));
    }
    there
}

/// Whether this process is root's, which some tests need.
#[must_use]
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
