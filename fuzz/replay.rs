//! Every crate's ordinary tests give the committed corpora to the same functions as the fuzzer does.

use std::{fs, path::Path};

/// Gives each file of `fuzz/corpus/TARGET` to `check`, which panics if something is wrong; the last
/// name that was shown is then the culprit's.
pub(crate) fn corpus(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let files: Vec<_> = fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path()).collect();
    assert!(!files.is_empty(), "{} is empty", folder.display());
    for file in files {
        println!("{}", file.display());
        check(&fs::read(file).unwrap());
    }
}
