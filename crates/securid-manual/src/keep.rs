//! Writing pages, or comparing them with what the source says.

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
};

use crate::Manual;

/// With this variable a page is written instead of compared.
const WRITE: &str = "WRITE_PAGES";

/// Where manual pages stand.
const MANUALS: &str = "docs/man";

/// Sees to it that a file, named from the root of the repository, is this text.
///
/// # Panics
/// If it differs.
pub fn keep(file: &str, text: &str) {
    if env::var_os(WRITE).is_some() {
        fs::create_dir_all(path(file).parent().unwrap()).unwrap();
        fs::write(path(file), text).unwrap();
    }
    let written = fs::read_to_string(path(file)).unwrap_or_default();
    // The whole of either would hide what to do.
    assert!(
        written == text,
        "{file} differs from what the source says: write it anew with this test and {WRITE}=1"
    );
}

/// Sees to it that this text stands in a file, named likewise, between the two marks.
///
/// # Panics
/// If it differs, or if the marks are not there.
pub fn keep_between(file: &str, marks: [&str; 2], text: &str) {
    let page = fs::read_to_string(path(file)).unwrap();
    keep(file, &between(&page, marks, text).unwrap());
}

/// The page with this text between the two marks; none if they are not there.
#[must_use]
pub fn between(page: &str, marks: [&str; 2], text: &str) -> Option<String> {
    let (before, rest) = page.split_once(marks[0])?;
    let (_, after) = rest.split_once(marks[1])?;
    Some([before, marks[0], text, marks[1], after].concat())
}

/// Sees to it that these manual pages are there, and no others of that program.
///
/// # Panics
/// If one differs, is missing, or is about a command that there is no more.
pub fn keep_all(program: &str, pages: &[Manual]) {
    for page in pages {
        keep(&format!("{MANUALS}/{}", page.file()), &page.text());
    }
    let wanted: BTreeSet<_> = pages.iter().map(Manual::file).collect();
    let names = fs::read_dir(path(MANUALS)).unwrap().map(|entry| entry.unwrap().file_name());
    let of_program = names.map(|name| name.into_string().unwrap()).filter(|name| {
        let rest = name.strip_prefix(program);
        rest.is_some_and(|rest| rest.starts_with(['-', '.']))
    });
    assert_eq!(of_program.collect::<BTreeSet<_>>(), wanted);
}

fn path(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(file)
}
