//! Memory of its own from the system, kept away from swap, core dumps and forks as far as it goes.

use std::io;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, Ordering};

use memmap2::{MmapMut, MmapRaw};

/// Whether some memory for secrets could not be locked, at any time since the program began.
static UNLOCKED: AtomicBool = AtomicBool::new(false);

/// Whether some memory for secrets could not be locked since the program began: what was in it may have
/// been written to swap. The limit (`ulimit -l`, `LimitMEMLOCK=`) is reached, or locking is forbidden.
#[must_use]
pub fn unlocked() -> bool {
    UNLOCKED.load(Ordering::Relaxed)
}

/// Zeroed memory, apart from the heap.
#[derive(Debug)]
pub(crate) struct Mapping(MmapRaw);

impl Mapping {
    /// `len` bytes, which is more than none.
    ///
    /// # Errors
    /// The system has no memory left. That it cannot be locked or marked is no error: see [`unlocked`].
    pub(crate) fn new(len: usize) -> io::Result<Self> {
        let map = MmapMut::map_anon(len)?;
        keep_in(&map);
        Ok(Self(map.into()))
    }

    /// Where it begins.
    pub(crate) fn start(&self) -> NonNull<u8> {
        // A mapping is never at address 0.
        NonNull::new(self.0.as_mut_ptr()).unwrap_or(NonNull::dangling())
    }
}

/// Locked in memory, left out of core dumps, and not there after a fork: whoever forks execs another
/// program, which needs none of it. A kernel that refuses any of it leaves it undone.
#[cfg(all(unix, not(miri)))]
fn keep_in(map: &MmapMut) {
    #[cfg(target_os = "linux")]
    for advice in [memmap2::Advice::DontDump, memmap2::Advice::DontFork] {
        let _ = map.advise(advice);
    }
    if map.lock().is_err() {
        UNLOCKED.store(true, Ordering::Relaxed);
    }
}

/// Miri knows no such calls, and elsewhere there is none in `memmap2`.
#[cfg(not(all(unix, not(miri))))]
fn keep_in(_map: &MmapMut) {
    UNLOCKED.store(true, Ordering::Relaxed);
}
