//! The pages on the protocol follow from its types and from golden messages:
//!
//! - `methods`: every method, with the types of its parameters and its result;
//! - `golden`: messages as they are on the wire, in `tests/golden`; a change of the wire is a change there;
//! - `schema`: `docs/protocol.schema.json`;
//! - `page`: what of `docs/protocol.md` is not written by hand, and the manual page of it all; `shape`: types in words.
//!
//! With `WRITE_PAGES=1` the tests write the pages instead of comparing them.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod golden;
mod methods;
mod page;
mod schema;
mod shape;
