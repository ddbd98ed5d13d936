//! The real `securid-ctl` against a fake daemon, no daemon, and frozen ones.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod doctor;
mod exec;
mod fake;
mod history;
mod logout;
mod nobody;
mod password;
mod shows;
mod starting;
mod versions;
