//! What must hold for any config and any selector. The fuzzer calls these functions (`fuzz/`), and the
//! tests give them its corpora. They stand beside what they are about.

#![allow(clippy::unwrap_used)]

pub use crate::config::fuzz::config;
pub use crate::selector::fuzz::selector;

#[cfg(test)]
#[path = "../../../fuzz/replay.rs"]
mod replay;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configs_of_the_corpus_hold() {
        replay::corpus("config", config);
    }

    #[test]
    fn selectors_of_the_corpus_hold() {
        replay::corpus("selector", selector);
    }
}
