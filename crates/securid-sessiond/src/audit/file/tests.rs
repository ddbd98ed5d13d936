//! Lines that are written, and where they are then.

#![allow(clippy::unwrap_used)]

// Modes, and links that anybody may make.
#[cfg(unix)]
mod unix;

use std::fs;

use tempfile::TempDir;

use super::*;

fn folder() -> (TempDir, AuditFile) {
    let folder = tempfile::tempdir().unwrap();
    let file = AuditFile::new(folder.path().join("audit.jsonl"));
    (folder, file)
}

fn written(path: &Path) -> Vec<String> {
    fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn a_file_that_was_moved_away_is_left() {
    let (folder, mut file) = folder();
    assert_eq!(file.write(&[Line::gap(0, 1)]), (1, Ok(())));
    let old = folder.path().join("audit.jsonl.1");
    fs::rename(&file.path, &old).unwrap();
    assert_eq!(file.write(&[Line::gap(0, 2)]), (1, Ok(())));
    assert_eq!(written(&old), [Line::gap(0, 1).json()]);
    assert_eq!(written(&file.path), [Line::gap(0, 2).json()]);
}
