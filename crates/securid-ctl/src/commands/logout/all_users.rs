//! `logout --all-users`: every user's sessions, revoked as that user, for when somebody leaves or the machine goes.

#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(target_os = "linux")]
mod linux;

#[cfg(not(target_os = "linux"))]
use elsewhere as system;
#[cfg(target_os = "linux")]
use linux as system;

pub(super) use system::{run, warn_of_others};
