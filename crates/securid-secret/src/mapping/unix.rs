//! Memory is locked by `mlock`, and the kernel told what not to dump.

use memmap2::MmapMut;

/// Not in core dumps, and not there after a fork: whoever forks execs another program, which needs none of
/// it. A kernel that knows no such thing leaves it undone.
pub(super) fn leave_out(map: &MmapMut) {
    #[cfg(all(target_os = "linux", not(miri)))]
    for advice in [memmap2::Advice::DontDump, memmap2::Advice::DontFork] {
        let _ = map.advise(advice);
    }
    let _ = map;
}

/// Whether it is locked. Miri knows no such call.
pub(super) fn lock(map: &MmapMut) -> bool {
    #[cfg(not(miri))]
    return map.lock().is_ok();
    #[cfg(miri)]
    {
        let _ = map;
        false
    }
}
