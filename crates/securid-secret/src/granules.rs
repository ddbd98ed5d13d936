//! Which parts of a chunk are taken.

/// The smallest part, in bytes. A token of usual length takes two to four, so little is lost to
/// rounding.
pub(crate) const GRANULE: usize = 32;

/// How many there are in a chunk: 32 KiB of them. A daemon with a handful of sessions has one chunk, one
/// with 10,000 some forty.
pub(crate) const COUNT: usize = 1024;

/// A bit for each granule of a chunk.
#[derive(Debug)]
pub(crate) struct Granules {
    taken: [u64; COUNT / 64],
    free: usize,
    /// No run of free ones is longer; it may well be shorter. Spares the search in a full chunk.
    longest: usize,
}

impl Granules {
    /// All of them free.
    pub(crate) fn new() -> Self {
        Self { taken: [0; COUNT / 64], free: COUNT, longest: COUNT }
    }

    /// Takes `n` in a row, and says where they begin; `None` if there are not so many in a row.
    pub(crate) fn take(&mut self, n: usize) -> Option<usize> {
        if n > self.longest {
            return None;
        }
        let Some(start) = self.find(n) else {
            self.longest = n - 1;
            return None;
        };
        self.flip(start, n);
        self.free -= n;
        Some(start)
    }

    /// Gives back `n` that [`Granules::take`] gave out at `start`.
    pub(crate) fn give_back(&mut self, start: usize, n: usize) {
        self.flip(start, n);
        self.free += n;
        self.longest = self.free;
    }

    /// Whether nothing is taken.
    pub(crate) fn all_free(&self) -> bool {
        self.free == COUNT
    }

    fn find(&self, n: usize) -> Option<usize> {
        let mut start = 0;
        for at in 0..COUNT {
            if self.taken[at / 64] & (1 << (at % 64)) != 0 {
                start = at + 1;
            } else if at + 1 - start == n {
                return Some(start);
            }
        }
        None
    }

    fn flip(&mut self, start: usize, n: usize) {
        for at in start..start + n {
            self.taken[at / 64] ^= 1 << (at % 64);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn all_of_it_can_be_taken_and_not_one_more() {
        let mut granules = Granules::new();
        assert_eq!(granules.take(COUNT), Some(0));
        assert_eq!(granules.take(1), None);
        granules.give_back(0, COUNT);
        assert!(granules.all_free());
        assert_eq!(granules.take(COUNT), Some(0));
    }

    proptest! {
                /// Against a plain list: what is given out is free, and a refusal is true.
        #[test]
        #[cfg_attr(miri, ignore = "nothing unsafe in it")]
        fn as_a_list_of_flags_would(
            steps in prop::collection::vec((1_usize..300, any::<prop::sample::Index>()), 1..60),
        ) {
            let mut granules = Granules::new();
            let mut flags = [false; COUNT];
            let mut given: Vec<(usize, usize)> = Vec::new();
            for (n, index) in steps {
                if n % 3 == 0 && !given.is_empty() {
                    let (start, n) = given.swap_remove(index.index(given.len()));
                    granules.give_back(start, n);
                    flags[start..start + n].fill(false);
                } else if let Some(start) = granules.take(n) {
                    prop_assert!(flags[start..start + n].iter().all(|taken| !taken), "an overlap");
                    flags[start..start + n].fill(true);
                    given.push((start, n));
                } else {
                    prop_assert!(flags.windows(n).all(|run| run.contains(&true)), "there was room");
                }
                prop_assert_eq!(granules.all_free(), given.is_empty());
            }
        }
    }
}
