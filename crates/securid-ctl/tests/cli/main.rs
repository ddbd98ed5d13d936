//! The real `securid-ctl` against a fake daemon, no daemon, and frozen ones.
//!
//! What goes by shells, signals, terminals and modes of files is in modules that Windows has not: there `windows` has what
//! is in their place, and what all have in common is run on both.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod codes;
// Scripts of a shell stand for the daemon's program.
#[cfg(unix)]
mod doctor;
// Signals.
#[cfg(unix)]
mod exec;
mod fake;
mod history;
// Modes, and who runs a program.
#[cfg(unix)]
mod logout;
// Sockets that are frozen in ways of their own.
#[cfg(unix)]
mod nobody;
// Terminals and modes.
#[cfg(unix)]
mod password;
mod shows;
// Compared with files that have paths of Linux.
#[cfg(unix)]
mod snapshots;
// Scripts of a shell stand for the daemon's program.
#[cfg(unix)]
mod starting;
// Sockets of daemons of other versions.
#[cfg(unix)]
mod versions;
#[cfg(windows)]
mod windows;
