//! The pages on the protocol follow from its types and from golden messages:
//!
//! - `methods`: every method, with the types of its parameters and its result;
//! - `golden`: messages as they are on the wire, in `tests/golden`; a change of the wire is a change there;
//! - `schema`: `docs/protocol.schema.json`;
//! - `page`: what of `docs/protocol.md` is not written by hand, and that page as a manual page; `shape`: types in words.
//!
//! With `WRITE_PAGES=1` the tests write the pages instead of comparing them.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod golden;
mod methods;
mod page;
mod schema;
mod shape;

use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// How the pages are made anew.
const COMMAND: &str = "WRITE_PAGES=1 cargo test -p securid-ipc --features schema --test pages";

fn docs(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name)
}

/// Writes the page, or compares it.
fn keep_up(name: &str, text: &str) {
    if env::var_os("WRITE_PAGES").is_some() {
        return fs::write(docs(name), text).unwrap();
    }
    let written = fs::read_to_string(docs(name)).unwrap_or_default();
    assert!(written == text, "docs/{name} differs: write it anew with {COMMAND}");
}
