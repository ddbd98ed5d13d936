//! What must hold for any bytes on disk or in a keyring. The fuzzer calls these functions (`fuzz/`),
//! and the tests give them its corpora. They stand beside what they are about.

#![allow(clippy::unwrap_used)]

pub use crate::disk::document::fuzz::record;
pub use crate::disk::index::fuzz::index;
pub use crate::keyring::backend::sealed_file::format::fuzz::sealed_file;
pub use crate::keyring::backend::sealed_file::key::fuzz::key_file;
pub use crate::keyring::entry::fuzz::entry;

/// A line of the history: no line, or the same when it is written and read again.
pub fn history_line(line: &[u8]) {
    let Ok(line) = serde_json::from_slice::<crate::HistoryLine>(line) else { return };
    let written = serde_json::to_vec(&line).unwrap();
    assert_eq!(serde_json::from_slice::<crate::HistoryLine>(&written).unwrap(), line);
    assert!(!written.contains(&b'\n'), "it would be two lines");
}

#[cfg(test)]
#[path = "../../../fuzz/replay.rs"]
mod replay;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_of_the_corpus_hold() {
        replay::corpus("record", record);
    }

    #[test]
    fn indexes_of_the_corpus_hold() {
        replay::corpus("index", index);
    }

    #[test]
    fn history_lines_of_the_corpus_hold() {
        replay::corpus("history_line", history_line);
    }

    #[test]
    fn sealed_files_of_the_corpus_hold() {
        replay::corpus("sealed_file", sealed_file);
    }

    #[test]
    fn key_files_of_the_corpus_hold() {
        replay::corpus("key_file", key_file);
    }

    #[test]
    fn entries_of_the_corpus_hold() {
        replay::corpus("entry", entry);
    }
}
