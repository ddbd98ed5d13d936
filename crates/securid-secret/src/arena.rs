//! Hands out parts of mappings, and takes them back wiped.
//!
//! What is small shares a chunk: a page for each of 10,000 tokens would be 40 MiB, five times what may be
//! locked. What is large has a mapping of its own. A chunk with nothing in it goes back to the system,
//! but for one.

use std::alloc::{Layout, handle_alloc_error};
use std::collections::BTreeMap;
use std::ptr::NonNull;
use std::slice;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::granules::{COUNT, GRANULE, Granules};
use crate::mapping::Mapping;
use crate::wipe;

/// How long a chunk is, in bytes.
const CHUNK: usize = COUNT * GRANULE;

/// The longest that shares a chunk, in bytes: two fit in one.
const LONGEST_SHARED: usize = CHUNK / 2;

/// The longest that is locked, in bytes. No request, and no answer of the server, is longer than half of it;
/// what is longer is a page of a list. A few dozen of those would use up all that may be locked.
const LONGEST_LOCKED: usize = 128 * 1024;

static ARENA: Mutex<Arena> = Mutex::new(Arena { chunks: BTreeMap::new(), large: BTreeMap::new() });

/// All mappings there are, by the addresses at which they begin.
struct Arena {
    chunks: BTreeMap<usize, Chunk>,
    large: BTreeMap<usize, Mapping>,
}

struct Chunk {
    mapping: Mapping,
    granules: Granules,
}

/// Memory for one secret, its owner's alone; zeroed when it is new, wiped when it is dropped.
pub(crate) struct Slot {
    start: NonNull<u8>,
    len: usize,
}

// SAFETY: a slot owns its bytes as a box does. Nothing else points to them, and the mapping that they are
// in stays until the slot is given back.
unsafe impl Send for Slot {}
// SAFETY: as above; a shared slot can only be read.
unsafe impl Sync for Slot {}

impl Slot {
    /// No memory at all.
    pub(crate) const fn empty() -> Self {
        Self { start: NonNull::dangling(), len: 0 }
    }

    /// At least `len` bytes. As with any other memory, the program ends if the system has none.
    pub(crate) fn new(len: usize) -> Self {
        if len == 0 {
            return Self::empty();
        }
        // Never larger than what there can be: what overflows is refused by the system.
        let len = len.checked_next_multiple_of(GRANULE).unwrap_or(len);
        let start = arena().give_out(len);
        Self { start, len }
    }

    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        // SAFETY: `start` is that of `len` bytes which `Arena::give_out` gave to this slot alone (or
        // dangles, with `len` 0). They were zeroed before, so they are initialised; they are mapped until
        // `drop`; and while this borrow lasts nobody can have a mutable one.
        unsafe { slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }

    #[inline]
    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `bytes`; and `&mut self` makes it the only borrow.
        unsafe { slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if self.len > 0 {
            wipe(self.bytes_mut());
            arena().take_back(self.start, self.len);
        }
    }
}

/// Nobody panics while he has it; and whatever was, every step leaves it whole.
fn arena() -> MutexGuard<'static, Arena> {
    ARENA.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Arena {
    /// Where `len` zeroed bytes begin, a multiple of [`GRANULE`], that nobody else gets until they are
    /// taken back.
    fn give_out(&mut self, len: usize) -> NonNull<u8> {
        if len > LONGEST_SHARED {
            let mapping = map(len, len <= LONGEST_LOCKED);
            let start = mapping.start();
            self.large.insert(start.addr().get(), mapping);
            return start;
        }
        let n = len / GRANULE;
        for chunk in self.chunks.values_mut() {
            if let Some(first) = chunk.granules.take(n) {
                return chunk.at(first);
            }
        }
        let mut chunk = Chunk { mapping: map(CHUNK, true), granules: Granules::new() };
        // A fresh chunk has room for two of the longest.
        let first = chunk.granules.take(n).unwrap_or_default();
        let start = chunk.at(first);
        self.chunks.insert(chunk.mapping.start().addr().get(), chunk);
        start
    }

    /// Takes back the `len` bytes that were given out at `start`, wiped.
    fn take_back(&mut self, start: NonNull<u8>, len: usize) {
        let at = start.addr().get();
        if len > LONGEST_SHARED {
            self.large.remove(&at);
            return;
        }
        let Some((&base, chunk)) = self.chunks.range_mut(..=at).next_back() else { return };
        chunk.granules.give_back((at - base) / GRANULE, len / GRANULE);
        if chunk.granules.all_free()
            && self.chunks.values().any(|other| other.granules.all_free() && other.base() != base)
        {
            self.chunks.remove(&base);
        }
    }
}

impl Chunk {
    fn base(&self) -> usize {
        self.mapping.start().addr().get()
    }

    /// Where a granule begins.
    fn at(&self, granule: usize) -> NonNull<u8> {
        // SAFETY: there are `COUNT` granules, so this stays inside the mapping, which is `CHUNK` long.
        unsafe { self.mapping.start().add(granule * GRANULE) }
    }
}

fn map(len: usize, locked: bool) -> Mapping {
    Mapping::new(len, locked).unwrap_or_else(|_| {
        handle_alloc_error(Layout::array::<u8>(len).unwrap_or(Layout::new::<u8>()))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use std::thread;

    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone)]
    enum Step {
        Take(usize),
        Drop(prop::sample::Index),
        Write(prop::sample::Index, u8),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let len =
            prop_oneof![8 => 0_usize..400, 2 => 400..LONGEST_SHARED, 1 => LONGEST_SHARED..70_000];
        let step = prop_oneof![
            4 => len.prop_map(Step::Take),
            3 => any::<prop::sample::Index>().prop_map(Step::Drop),
            3 => (any::<prop::sample::Index>(), 1..=255_u8).prop_map(|(i, b)| Step::Write(i, b)),
        ];
        prop::collection::vec(step, 1..if cfg!(miri) { 20 } else { 200 })
    }

    fn is_all(bytes: &[u8], byte: u8) -> bool {
        // One comparison of memory, which Miri does in one step as well.
        *bytes == *vec![byte; bytes.len()]
    }

    proptest! {
        #![proptest_config(crate::cases(200, 3))]

        /// Slots hold what was written to them whatever becomes of others (so none overlap), and a new one
        /// is zeroed (so what was freed was wiped).
        #[test]
        fn slots_are_apart_keep_what_is_in_them_and_begin_wiped(steps in steps()) {
            let mut slots: Vec<(Slot, u8)> = Vec::new();
            for step in steps {
                match step {
                    Step::Take(len) => {
                        let slot = Slot::new(len);
                        prop_assert!(slot.bytes().len() >= len);
                        prop_assert!(is_all(slot.bytes(), 0), "not wiped");
                        slots.push((slot, 0));
                    }
                    Step::Drop(index) if !slots.is_empty() => {
                        drop(slots.swap_remove(index.index(slots.len())));
                    }
                    Step::Write(index, byte) if !slots.is_empty() => {
                        let (slot, holds) = index.get_mut(&mut slots);
                        slot.bytes_mut().fill(byte);
                        *holds = byte;
                    }
                    Step::Drop(_) | Step::Write(..) => {}
                }
                prop_assert!(slots.iter().all(|(slot, byte)| is_all(slot.bytes(), *byte)));
            }
        }
    }

    #[test]
    fn slots_go_between_threads() {
        let threads = (1..4_u8).map(|byte| {
            thread::spawn(move || {
                let fill = |len| {
                    let mut slot = Slot::new(len);
                    slot.bytes_mut().fill(byte);
                    slot
                };
                (0..if cfg!(miri) { 4 } else { 500 })
                    .map(|i| fill(1 + i * 7 % 300))
                    .collect::<Vec<_>>()
            })
        });
        for (thread, byte) in threads.collect::<Vec<_>>().into_iter().zip(1..) {
            let slots = thread.join().unwrap();
            assert!(slots.iter().all(|slot| is_all(slot.bytes(), byte)));
        }
    }
}
