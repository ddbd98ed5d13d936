//! Pages that follow from the source: a test makes them, and compares them with those that are there, or
//! writes them where `WRITE_PAGES` is set. Tests, an example and the benchmark use this crate.
//!
//! - [`keep`], [`keep_between`], [`keep_all`] (`keep`): writing or comparing; [`between`]: a page with another text between two
//!   marks;
//! - [`drawing`]: what drawings of figures share;
//! - [`Manual`] (`manual`): the head and the end that manual pages share, and their form as text;
//! - [`of_program`] (`program`): the manual pages of a program, from what its `--help` says; `help`: the
//!   sections of a help text;
//! - [`of_document`] (`document`): the manual page of a document in Markdown.

// A page that cannot be had fails the test.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod document;
pub mod drawing;
mod help;
mod keep;
mod manual;
mod program;

pub use document::of_document;
pub use keep::{between, keep, keep_all, keep_between};
pub use manual::Manual;
pub use program::of_program;
