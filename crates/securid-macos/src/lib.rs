//! What this project wants of macOS and no well-kept crate makes safe, behind functions that are safe.
//!
//! It knows no other crate of this project and decides nothing: what a thing means is said where it is used. Elsewhere
//! than on macOS the crate is empty.
//!
//! - [`keychain`]: whether the default keychain is unlocked
//! - [`machine`]: which machine this is, and which boot
//! - [`folders`]: the folder that the system makes for each user

#![cfg(target_os = "macos")]
#![allow(unsafe_code)]

pub mod folders;
pub mod keychain;
pub mod machine;
