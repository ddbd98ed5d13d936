//! A Unix socket that only its owner can reach.
//!
//! - `address`: its path; `client`, `listener` and `stream`: both sides of it;
//! - `linux`, `macos`: what they do not have in common.

mod address;
#[cfg(feature = "client")]
pub(crate) mod client;
#[cfg(feature = "server")]
pub(crate) mod listener;
#[cfg(feature = "server")]
pub(crate) mod probe;
#[cfg(feature = "server")]
pub(crate) mod stream;

#[cfg(all(feature = "server", target_os = "linux"))]
mod linux;
#[cfg(all(feature = "server", target_os = "linux"))]
use linux as kernel;
#[cfg(all(feature = "server", target_os = "macos"))]
mod macos;
#[cfg(all(feature = "server", target_os = "macos"))]
use macos as kernel;
