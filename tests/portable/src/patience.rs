//! Waiting for what is to happen soon.

use std::thread;
use std::time::{Duration, Instant};

/// How long anything may take that is to happen at once: far more than it needs, because the machine may be
/// building something else meanwhile, and because Wine's programs start slowly.
pub const PATIENCE: Duration = Duration::from_secs(40);

/// How often a probe is tried.
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
