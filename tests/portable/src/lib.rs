//! The main job through the real programs, on whichever system this is built for: over its own kind of endpoint,
//! with its own keyring, against the simulated server whose truth decides. What only one system has is tested
//! elsewhere; here stands what has to be the same on all of them.
//!
//! | system | endpoint | keyring |
//! |---|---|---|
//! | Linux, macOS | Unix socket | the tests' own store |
//! | Windows | named pipe | Credential Manager |
//!
//! The themes, one file each in `tests/portable/`:
//!
//! | file | shows that |
//! |---|---|
//! | `main_job` | add, log in, lend, run, log out works, and secrets are nowhere but in keyring and server |
//! | `limits` | idle time and lifetime end what they should, and a hold keeps it |
//! | `crash` | a daemon that is killed, and a reboot, lose nothing that was acknowledged |
//! | `stopping` | a stop revokes everything; what it cannot confirm goes out at the next start |
//! | `draining` | `--drain` does the same without a daemon, or has the one that runs do it |
//! | `refusals` | second daemons, bad configs, what is not there: each with its exit code |
//! | `crowd` | many clients at once, slow and silent ones among them, all get what is theirs |
//! | `places` | config, records and endpoint are where the contract says |
//! | `desktop` | what Windows says of locked screens, sleep and ends of a session ends what it should; Windows alone |
//! | `console` | Ctrl-C, a password and `watch` at a console of Windows; Windows alone |
//! | `at_log_on` | `setup` there, from nothing to a removal; Windows alone |
//!
//! The harness:
//!
//! - [`House`] (`house`): a server, a folder, a daemon, and `securid-ctl` beside it;
//! - [`Client`] (`client`): the protocol by hand;
//! - [`Process`] (`process`): a child that ends when it is dropped; how one ended, and what it wrote;
//! - `programs`: the programs under test; `patience`: bounded waits;
//! - [`system`]: what each system does in its own way;
//! - the program `securid-child`: what `exec` runs, and the person at a console.

// All of this is test code: what cannot be had fails the test.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod client;
mod house;
mod patience;
mod process;
mod programs;
pub mod system;

pub use client::{Client, RpcFault};
pub use house::{House, PASSWORD};
pub use patience::{PATIENCE, eventually, within};
pub use process::{Process, code, json_of, run, stderr, stdout};
