//! What this project wants of Windows and no well-kept crate makes safe, behind functions that are safe.
//!
//! | module | is |
//! |---|---|
//! | [`sid`] | users and groups, and who we are |
//! | [`descriptor`], [`making`] | whose a thing is, and who may do what with it; files and folders that have that from their first moment |
//! | [`mod@file`], [`kind`], [`volume`] | which file a handle is of, and what kind of thing; a lock that leaves it readable; what a disk has left |
//! | [`stream`] | paths that name no file, but text beside one |
//! | [`folders`] | where the system keeps whose data |
//! | [`pipes`] | both sides of named pipes |
//! | [`credentials`] | Credential Manager |
//! | [`boot`], [`power`] | which boot this is; sleep, and the time that counts it |
//! | [`memory`], [`own_process`] | memory that stays out of swap and reports; who may look into this process |
//! | [`network`] | its changes |
//! | [`window`] | what only windows are told, as log-off and locked screens |
//! | [`console`], [`sequences`], [`own_console`] | reading and writing a console, its modes; whether it takes a terminal's sequences; having one |
//! | [`control`] | Ctrl-C, and what else a console tells its programs |
//! | [`process`], [`job`], [`inheritance`], [`ending`] | programs by their number, with all that they start, and the handles that they do not get; an end that runs nothing more |
//! | [`sessions`] | who is logged in |
//! | [`wait`] | for several things at once |
//! | [`event_log`] | what an administrator reads |
//! | `listeners`, `overlapped`, `text` | who is told when Windows calls; the end of what goes on in the background; its texts |
//!
//! It knows no other crate of this project and decides nothing: what a thing means is said where it is used. Elsewhere
//! than on Windows the crate is empty. Every other crate is free of `unsafe`, but for `securid-secret` and `securid-macos`.

#![cfg(windows)]
#![allow(unsafe_code)]

pub mod boot;
pub mod console;
pub mod control;
pub mod credentials;
pub mod descriptor;
pub mod ending;
pub mod event_log;
pub mod file;
pub mod folders;
pub mod inheritance;
pub mod job;
pub mod kind;
mod listeners;
pub mod making;
pub mod memory;
pub mod network;
mod overlapped;
pub mod own_console;
pub mod own_process;
pub mod pipes;
pub mod power;
pub mod process;
pub mod sequences;
pub mod sessions;
pub mod sid;
pub mod stream;
mod text;
pub mod volume;
pub mod wait;
pub mod window;
