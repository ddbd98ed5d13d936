//! Four people, each from an empty home to the end of the day, by commands that the documents name, on a machine
//! with a real systemd. Each step is held to its exit status and its words; the server has the last word.
//!
//! - `laptop`: an administrator on a laptop, whose VPN drops
//! - `devops`: a job at night, and a server that is down for one
//! - `officer`: who sets the limits, lets somebody go, and reports
//! - `packager`: who brings it to many desktops, and takes it away again
//!
//! And one more, who is new to it, before a terminal on a machine without systemd:
//!
//! - `newcomer`: the first quarter of an hour
//! - `stumbles`: the same with each thing broken once
//!
//! `steps`: how they walk; `desk`: where the newcomer sits.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod desk;
mod devops;
mod laptop;
mod newcomer;
mod officer;
mod packager;
mod steps;
mod stumbles;
