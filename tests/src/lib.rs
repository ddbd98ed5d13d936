//! The real programs, driven as users and hooks drive them, against the simulated server whose
//! truth decides. Nothing here looks into the daemon: it is a process, a socket, files, a keyring.
//!
//! The themes, one file each in `tests/`:
//!
//! | file | shows that |
//! |---|---|
//! | `main_job` | login, add, lend, log out works on each store, and secrets are nowhere else |
//! | `triggers` | idle, lifetime, holds, uses, stop, an absent client, an orphan, `replace` end what they should |
//! | `faults` | nothing but the server's own word confirms; whatever it does, the daemon goes on |
//! | `crash` | `kill -9` and reboots lose nothing that was acknowledged |
//! | `time` | hours asleep count |
//! | `crash_points` | the same at every point between two effects, and again while it recovers |
//! | `power_cut` | a power cut at any instant, whatever it takes along, loses nothing either |
//! | `stopping` | a stop revokes everything, in time, and what it cannot confirm is kept |
//! | `keyring_faults` | a locked, hanging, full or lying store loses nothing and hangs nobody |
//! | `secret_service` | the same with a real gnome-keyring: locked, frozen, absent, late |
//! | `hostile_keyring` | killed, swapped, or gone with its bus, and the daemon crashes as well: all heals by itself |
//! | `keyring_moments` | the same in the midst of a login, a start or a stop |
//! | `keyring_lost` | what counts as lost, and what does not |
//! | `prompts` | a person is asked for his own login alone, and nobody else waits for him |
//! | `sealed_file` | the same with a sealed file: no key, a wrong one, damage, reboots, crashes |
//! | `quota` | the kernel's quota of an ordinary user |
//! | `disk` | a full, read-only, slow or swept disk, and files that hang |
//! | `halves` | records without secrets, secrets without records, damage on either side |
//! | `logind` | shutdown, sleep and locked screens end what they should, whatever becomes of logind and the bus |
//! | `notifications` | a person learns on the desktop what ended by itself, and what gets nowhere |
//! | `origin` | a token goes to its own server, whatever becomes of the config |
//! | `proxy` | a proxy on the way is told nothing, told from the server, and never gone around |
//! | `networks` | proxies, client certificates and private CAs by config, and each failure of a network in words |
//! | `real_proxies` | the same works with a real proxy, with a password and without, over its death |
//! | `addresses` | a server is reached at whichever of its addresses is alive |
//! | `vpn` | what waits for the way to its server goes out when that appears, and a network that flaps makes no storm |
//! | `draining` | with a bad config what is recorded is revoked, and nothing new taken in |
//! | `drain_request` | the same on request, `--drain`, in time and whoever has the sessions |
//! | `starting` | `securid-ctl start` and `restart` bring one up, in words, and lose nothing |
//! | `activation` | a socket that a service manager holds loses no client, whatever the daemon meets |
//! | `leaving` | a daemon with nothing to do ends by itself, and never too soon |
//! | `reload` | another config counts while the daemon runs, and a bad one changes nothing |
//! | `unattended` | a session for one program ends with it, whatever dies first |
//! | `layers` | central settings count, users cannot loosen what is enforced, and everybody can see why a value counts |
//! | `panics` | an error of our own ends the daemon, in words, and the next one goes on |
//! | `supervised` | the service manager knows how the daemon is |
//! | `bad_start` | bad configs, second daemons, foreign folders and records |
//! | `call` | commands go through the daemon whatever their size, and their token stays there |
//! | `audit` | an auditor can follow every session from its beginning to its end, over crashes too |
//! | `proof` | the history tells what the server knows, once for each token, and hides no gap |
//! | `audit_trouble` | a full, hanging or refused audit holds nothing up, and loses nothing |
//! | `peers` | paths that others could change are refused, and so are other users |
//! | `probes` | the eight that felled other daemons of this kind fell nothing here |
//! | `words` | no part of a secret is said anywhere, and nobody's text is obeyed |
//! | `bounds` | how much is kept, and what becomes of what is too much |
//! | `memory` | a token is in locked memory while it lives, and nowhere afterwards; nobody else looks in |
//! | `protocol` | what the socket refuses, and how; that every message is as the schema says |
//! | `samples` | the clients in other languages do their whole job, and leave no token behind |
//! | `crowd` | crowds of clients that want too much lock nobody out, fell nothing, and their memory comes back |
//! | `load` | a thousand clients, 64 at once, at a server with faults: each gets what is its own |
//! | `watch` | whoever watches sees every session as it is, and costs little however slowly he reads |
//! | `documents` | tests that pages name as proof are there, and manual pages can be read; no source shows a person how Rust sees a value |
//! | `systemd` | on a real systemd the units hold what they promise: sandbox, stop, restart, power-off |
//! | `walks` | four people get through a whole day, from an empty home on, by what the documents tell them |
//! | `login` | a person knows where his password goes, is asked for no more than is missing, and keeps his terminal |
//! | `doctor` | each thing that is broken is named by `doctor`, with what to do next, and it changes nothing |
//! | `shell` | shells complete what the daemon has, and take nothing of it for a command |
//! | `cli` | `securid-ctl`: exit codes, and that it never hangs |
//! | `costs` | a release stays as small, and does as little, as it once did |
//!
//! The harness:
//!
//! - [`House`] (`house`), [`Plan`] (`plan`): a server, a folder, a daemon; `daemon` starts and ends it,
//!   `sessions` has the calls;
//! - [`Client`] (`client`): the protocol by hand;
//! - [`MortalHouse`] (`mortal`, `asks`), [`lives`]: a daemon that may die at any moment, and what is
//!   played with it; `recovery`: what has to hold then; [`trace`]: the points that were passed;
//! - [`process`]: children that end when they are dropped;
//! - `socket_unit`, [`NotifySocket`] (`notify_socket`): a service manager's part;
//! - [`programs`]: the programs under test;
//! - [`SecretService`] (`secret_service`), [`kernel_keys`], `sealed_file`: real keyrings;
//! - [`Bus`] (`bus`), [`FakeLogind`] (`fake_logind`), [`NotificationServer`] (`notification_server`): a
//!   desktop of our own making;
//! - [`Prompter`] (`prompter`): who is asked to unlock one; [`Fickle`] (`fickle`): one that is
//!   unlocked at the worst moment;
//! - [`Machine`] (`machine`): a machine with a real systemd, with the server and the programs in it;
//! - [`Packages`] (`packages`): the Debian package, in two versions;
//! - [`Terminal`] (`terminal`): a person before a real terminal; [`picture`]: what is on it, drawn;
//! - [`ConnectProxy`] (`connect_proxy`): a proxy on the way to the server;
//! - [`Network`] (`network`): a network between daemon and server, whose parts come and go;
//! - [`RealProxy`] (`real_proxy`): a real proxy in it;
//! - [`SmallDisk`] (`small_disk`): a file system that can be filled up;
//! - [`EtcSecurid`] (`etc_securid`): a machine's config, and a user who has to live with it;
//! - [`SlowDisk`] (`slow_disk`): a disk that takes its time;
//! - [`audit`]: the audit, read and held to its rules;
//! - [`stranger`]: being another user;
//! - [`memory`]: how much of it a process has; [`memory_scan`]: what is in it;
//! - `leaks`: looking for secrets where none may be;
//! - [`patience`]: bounded waits, and tests that cannot be made here.

// All of this is test code: what cannot be had fails the test.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod asks;
pub mod audit;
mod bus;
pub mod client;
mod connect_proxy;
mod daemon;
mod etc_securid;
mod fake_logind;
mod fickle;
mod house;
pub mod kernel_keys;
mod leaks;
pub mod lives;
mod machine;
pub mod memory;
pub mod memory_scan;
mod mortal;
mod network;
mod notification_server;
mod notify_socket;
mod packages;
pub mod patience;
pub mod picture;
mod plan;
pub mod process;
pub mod programs;
mod prompter;
mod real_proxy;
mod recovery;
mod sealed_file;
mod secret_service;
mod sessions;
mod slow_disk;
mod small_disk;
mod socket_unit;
pub mod stranger;
pub mod terminal;
pub mod trace;

pub use bus::Bus;
pub use client::{Client, RpcFault, outcome};
pub use connect_proxy::{AtProxy, ConnectProxy};
pub use etc_securid::EtcSecurid;
pub use fake_logind::{FakeLogind, Screen};
pub use fickle::Fickle;
pub use house::{House, PASSWORD};
pub use machine::{Machine, USER};
pub use mortal::{AtServer, Died, Mortal, MortalHouse, Server, Told};
pub use network::{DEAD, Network, SITE};
pub use notification_server::{Bubble, NotificationServer};
pub use notify_socket::NotifySocket;
pub use packages::Packages;
pub use patience::{PATIENCE, eventually, is_installed, skipped, timed, within};
pub use plan::Plan;
pub use prompter::{Dialog, Prompter};
pub use real_proxy::{FOR_THE_PROXY, REAL_PROXY, RealProxy};
pub use rustix::process::Signal;
pub use secret_service::SecretService;
pub use slow_disk::SlowDisk;
pub use small_disk::SmallDisk;
pub use terminal::{Ended, Terminal};
