//! Memory of its own from the system, kept away from swap, core dumps and forks as far as it goes.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::io;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, Ordering};

use memmap2::{MmapMut, MmapRaw};

#[cfg(unix)]
use unix::{leave_out, lock};
#[cfg(windows)]
use windows::{leave_out, lock};

/// Whether some memory for secrets could not be locked, at any time since the program began.
static UNLOCKED: AtomicBool = AtomicBool::new(false);

/// Whether some memory for secrets could not be locked since the program began: what was in it may have
/// been written to swap. The limit (`ulimit -l`, `LimitMEMLOCK=`, a working set) is reached, or locking is forbidden.
#[must_use]
pub fn unlocked() -> bool {
    UNLOCKED.load(Ordering::Relaxed)
}

/// Zeroed memory, apart from the heap.
#[derive(Debug)]
pub(crate) struct Mapping(MmapRaw);

impl Mapping {
    /// `len` bytes, which is more than none; kept out of swap as well if they are to be `locked`.
    ///
    /// # Errors
    /// The system has no memory left. That it cannot be locked or marked is no error: see [`unlocked`].
    pub(crate) fn new(len: usize, locked: bool) -> io::Result<Self> {
        let map = MmapMut::map_anon(len)?;
        leave_out(&map);
        if locked && !lock(&map) {
            UNLOCKED.store(true, Ordering::Relaxed);
        }
        Ok(Self(map.into()))
    }

    /// Where it begins.
    pub(crate) fn start(&self) -> NonNull<u8> {
        // A mapping is never at address 0.
        NonNull::new(self.0.as_mut_ptr()).unwrap_or(NonNull::dangling())
    }
}
