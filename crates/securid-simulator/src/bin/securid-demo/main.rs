//! The demo: `cargo run --bin securid-demo`. It builds the daemon and its command line, and walks
//! through their main job on this machine, against a simulated server.
//!
//! At each step it shows what was typed, what came back, and the server's own truth, and compares
//! them with what the step announces: it ends with 0 only if nothing differs.
//!
//! `linux` is all of it; `elsewhere` says that there is none.

#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(target_os = "linux")]
mod linux;

use std::process::ExitCode;

#[cfg(not(target_os = "linux"))]
use elsewhere::walk;
#[cfg(target_os = "linux")]
use linux::walk;

fn main() -> ExitCode {
    walk()
}
