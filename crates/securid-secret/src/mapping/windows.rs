//! Memory is locked into the working set.

use memmap2::MmapMut;

/// There are no forks, and which memory a dump has is said by whoever makes it: see [`crate::shut_others_out`].
pub(super) fn leave_out(_: &MmapMut) {}

/// Whether it is locked.
pub(super) fn lock(map: &MmapMut) -> bool {
    securid_windows::memory::lock(map).is_ok()
}
