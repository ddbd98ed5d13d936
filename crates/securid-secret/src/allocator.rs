//! A heap that is wiped wherever it is freed and shared by all threads; and memory that is given back: of the heap, and
//! of the program itself.

use std::alloc::{GlobalAlloc, Layout, System};

/// The system's heap, wiped wherever it is freed. As a program's global allocator it sees to the copies
/// that libraries make of a secret (the HTTP client's buffers, TLS records, D-Bus messages): they are
/// gone as soon as the library lets go of them.
///
/// A block that grows or shrinks is always moved, by the trait's own `realloc`, so that its old place is
/// wiped as well.
#[derive(Debug, Clone, Copy, Default)]
pub struct WipingAllocator;

// SAFETY: memory comes from `System` and goes back to it with the layout that it came with; `realloc` and
// what it promises are the trait's own.
unsafe impl GlobalAlloc for WipingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are those that `System` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
        // SAFETY: the caller hands over a block of this layout that nobody uses any more. A block has at
        // least one byte, which has been written when the barrier refers to it.
        unsafe {
            start.write_bytes(0, layout.size());
            zeroize::optimization_barrier(&*start);
            System.dealloc(start, layout);
        }
    }
}

/// From now on all threads share the C library's one heap. To be called while there is one thread.
///
/// glibc gives each thread a heap of its own, so that many that allocate all the time do not wait for each other. Ours come
/// and go: what one leaves behind in its heap the others cannot use, and each begins at a page of its own. It does
/// nothing where the C library is another.
pub fn share_one_heap() {
    #[cfg(all(target_os = "linux", target_env = "gnu", not(miri)))]
    // SAFETY: it sets a number that is read when a thread allocates for the first time.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 1);
    }
}

/// Gives back to the system what is free of the C library's heap. It keeps pages between others that are in
/// use: after a crowd of clients that is a mebibyte or more. It takes less than a millisecond for a heap of
/// some mebibytes, and does nothing where the C library is another than glibc.
pub fn give_back_what_is_free() {
    #[cfg(all(target_os = "linux", target_env = "gnu", not(miri)))]
    // SAFETY: it may be called at any time, by any thread, and touches nothing that is in use.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Lets go of the pages of the program's file that are mapped as they are in it: instructions and constants. Whatever is
/// needed again comes back from the file, as a rule from the system's cache of it, for about a microsecond a piece.
///
/// The kernel maps 64 KiB around each place that is run or read, so that nearly the whole of a program is soon in its memory
/// though it needs a tenth of it; and what is mapped the kernel keeps for longer than a cache. A debugger that has put a
/// breakpoint there loses it. Elsewhere than on Linux nothing happens.
pub fn let_go_of_the_program() {
    #[cfg(all(target_os = "linux", not(miri)))]
    // SAFETY: `let_go` is as `dl_iterate_phdr` wants it, and needs no data.
    unsafe {
        libc::dl_iterate_phdr(Some(let_go), std::ptr::null_mut());
    }
}

/// Of the program itself, which comes first. What libraries have, other programs use as well.
// SAFETY: only `dl_iterate_phdr` may call it, which keeps to what it promises of its callbacks.
#[cfg(all(target_os = "linux", not(miri)))]
unsafe extern "C" fn let_go(
    object: *mut libc::dl_phdr_info,
    _: usize,
    _: *mut std::ffi::c_void,
) -> std::ffi::c_int {
    // SAFETY: the caller hands over a description that is good as long as this runs.
    let (object, parts) = unsafe {
        let object = &*object;
        (object, std::slice::from_raw_parts(object.dlpi_phdr, object.dlpi_phnum.into()))
    };
    // SAFETY: it may be asked for at any time.
    let Ok(page @ 1..) = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }) else {
        return 1;
    };
    for part in parts {
        // What was ever writable is not as in the file: addresses were put in.
        if part.p_type != libc::PT_LOAD || part.p_flags & libc::PF_W != 0 {
            continue;
        }
        let begin = object.dlpi_addr as usize + part.p_vaddr as usize;
        let start = begin / page * page;
        let end = (begin + part.p_memsz as usize).div_ceil(page) * page;
        // SAFETY: these pages are this part's alone, mapped from the file, and nobody can write to them: what comes back is
        // what was there.
        unsafe {
            libc::madvise(start as *mut std::ffi::c_void, end - start, libc::MADV_DONTNEED);
        }
    }
    1
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use std::slice;

    use super::*;

    /// The contents of a block when it reaches the heap below cannot be looked at from here; this shows
    /// that blocks are whole, also when they move. `tests/tests/memory.rs` looks for what is left behind.
    #[test]
    fn blocks_keep_what_is_in_them_when_they_move() {
        let small = Layout::array::<u8>(16).unwrap();
        // SAFETY: the layouts are those that the blocks have, none is empty, and each is freed once.
        unsafe {
            let block = WipingAllocator.alloc(small);
            block.write_bytes(7, 16);
            let larger = WipingAllocator.realloc(block, small, 4096);
            assert_eq!(slice::from_raw_parts(larger, 16), [7; 16]);
            WipingAllocator.dealloc(larger, Layout::array::<u8>(4096).unwrap());
            let zeroed = WipingAllocator.alloc_zeroed(small);
            assert_eq!(slice::from_raw_parts(zeroed, 16), [0; 16]);
            WipingAllocator.dealloc(zeroed, small);
        }
    }
}
