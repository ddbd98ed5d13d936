//! What the systems do not have in common about terminals: [`columns`], [`can_draw`].

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(crate) use unix::{can_draw, columns};
#[cfg(windows)]
pub(crate) use windows::{can_draw, columns};
