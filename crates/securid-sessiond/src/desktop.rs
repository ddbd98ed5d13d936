//! The desktop and the machine's power: what becomes of sessions when the screen is locked, the
//! machine sleeps or goes down, and what a person is told of them.
//!
//! All of it speaks to the keeper by messages alone, and the keeper never waits for it: a bus or a
//! service that is absent, restarts or hangs holds nobody up.
//!
//! - `linux`, `macos`, `windows`: who tells it there, and how that is kept from leaving too soon
//! - `bubbles`: what is to be seen on the desktop

pub(crate) mod bubbles;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(windows)]
mod windows;

#[cfg(target_os = "linux")]
pub(crate) use linux::{CHECK, in_vain, look, mind, show};
#[cfg(target_os = "macos")]
pub(crate) use macos::{CHECK, in_vain, look, mind, show};
#[cfg(windows)]
pub(crate) use windows::{CHECK, in_vain, look, mind, show};

/// What the keeper wants of the desktop at present. With nothing wanted there is nobody who listens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Wants {
    /// Whether there is anything that its news could mean something for.
    pub(crate) news: bool,
    /// Whether locked screens are part of it.
    pub(crate) locks: bool,
    /// Whether the machine may not go down at once.
    pub(crate) delay_shutdown: bool,
    /// Whether it may not go to sleep at once.
    pub(crate) delay_sleep: bool,
}

/// What the desktop has to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(target_os = "macos", expect(dead_code, reason = "only sleep can be had there"))]
pub(crate) enum News {
    /// The machine is about to go down, or does not after all.
    Shutdown(bool),
    /// The machine is about to sleep, or has woken.
    Sleep(bool),
    /// A screen of this user was locked.
    Locked,
    /// Nobody says anything any more; what was announced may have been called off.
    Away,
}
