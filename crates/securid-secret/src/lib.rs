//! Memory for what must not be seen: tokens, passwords, keys, and the buffers they pass through.
//!
//! From the ground up:
//!
//! - `granules`: which parts of a chunk are taken; pure bookkeeping;
//! - `mapping`: memory of its own from the system, locked and left out of core dumps and forks;
//! - `arena`: hands out parts of mappings, wiped when they come back. The first of two files with
//!   `unsafe` in them;
//! - [`SecretBytes`]: bytes that live there, and never leave an unwiped copy when they grow;
//! - [`Secret`]: a text that lives there, as it goes through JSON;
//! - [`WipingAllocator`]: the heap of a whole program, wiped wherever it is freed, for the copies that
//!   libraries make; and [`give_back_what_is_free`], [`let_go_of_the_program`]. The second file with `unsafe`;
//! - [`shut_others_out`]: of the memory of the process as a whole.

#[allow(unsafe_code)]
mod allocator;
#[allow(unsafe_code)]
mod arena;
mod bytes;
mod granules;
mod mapping;
mod process;
mod text;

pub use allocator::{
    WipingAllocator, give_back_what_is_free, let_go_of_the_program, share_one_heap,
};
pub use bytes::SecretBytes;
pub use mapping::unlocked;
pub use process::shut_others_out;
pub use text::Secret;

/// Zeroes these bytes, also where the compiler sees that nobody reads them again.
///
/// One call to `memset`, where `zeroize` stores byte by byte: buffers here have up to a mebibyte.
fn wipe(bytes: &mut [u8]) {
    bytes.fill(0);
    zeroize::optimization_barrier(bytes);
}

/// So many cases of a property, and so few under Miri, which is slow and has no file system to keep failures
/// in.
#[cfg(test)]
fn cases(cases: u32, under_miri: u32) -> proptest::test_runner::Config {
    let cases = if cfg!(miri) { under_miri } else { cases };
    proptest::test_runner::Config { cases, failure_persistence: None, ..Default::default() }
}
