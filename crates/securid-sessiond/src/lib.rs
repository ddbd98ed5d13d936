//! `securid-sessiond`: keeps session tokens in the OS keyring, lends them out, and revokes them at
//! the server.
//!
//! From the edge inwards:
//!
//! | module | is |
//! |---|---|
//! | `args`, `config`, `log` | what a person says: flags, files, and what they read |
//! | `journal` | systemd's journal, in its own protocol |
//! | `make_key` | a key for the sealed file, and nothing else |
//! | `activation` | the socket that the service manager hands over |
//! | `start` | the order in which everything comes up and goes down |
//! | `drain` | the same where everything is only revoked: for `--drain`, and with a bad config |
//! | `doctor` | a look at everything that sessions need, which changes nothing |
//! | `limits` | what the system lets the process have |
//! | `descriptors` | how many of the files and sockets that may be open clients may have |
//! | `refusal` | what clients are told by a daemon that was started for them and cannot serve |
//! | `state` | the state folder at a start: its lock, and what was found there |
//! | `works` | keeper, errands and socket put together, with what was found taken up |
//! | `notify`, `watchdog` | what the service manager is told, and how often |
//! | `signals`, `failure` | what the system tells the process, and why it ends badly |
//! | `reload` | the config, read anew while the daemon runs |
//! | `service` | what stands behind the socket: hands calls on |
//! | `cursor` | where a page of the history begins |
//! | `taking` | `add` and `login`, up to the point where the token is here |
//! | `relay` | commands of the web service that clients call, body and answer as streams |
//! | `keeper` | the one task that owns the state: feeds the machine, carries its actions out |
//! | `errands` | the actions that take time: keyring, disk, server; each answers with an event |
//! | `desktop` | logind and notifications: tell the keeper, and do as it wants |
//! | `network` | changes of the network, told by the kernel: tells the keeper |
//! | `selector` | which session is meant |
//! | `trouble` | what goes wrong, in the protocol's words |
//! | `words` | what people are told of one system's folders and tools |
//! | `audit` | the lives of sessions, written down for somebody else to check |
//! | `memory` | what becomes of secrets in it: no core dumps, nobody else, and whether it is locked |
//! | `clock`, `servers` | the machine's clocks; one HTTP client per origin |
//! | `fuzz` | what must hold for any config and selector, for the fuzzer and the tests alone |
//!
//! The life of a session itself is in the crate `securid-session`, which does none of this.

mod activation;
mod args;
mod audit;
mod clock;
mod config;
mod cursor;
mod descriptors;
mod desktop;
mod doctor;
mod drain;
mod errands;
mod failure;
#[cfg(any(fuzzing, test))]
#[doc(hidden)]
pub mod fuzz;
mod journal;
mod keeper;
mod limits;
mod log;
mod make_key;
mod memory;
mod network;
mod notify;
mod refusal;
mod relay;
mod reload;
mod selector;
mod servers;
mod service;
mod signals;
mod start;
mod state;
mod taking;
mod trouble;
mod watchdog;
mod words;
mod works;

/// The whole program: takes its arguments, variables and inherited socket from the process, and returns the
/// exit status of the contract.
pub fn main() -> std::process::ExitCode {
    securid_ipc::panics::end_the_process("securid-sessiond", log::last_words);
    securid_ipc::home::leave_closed_ones();
    memory::protect();
    securid_secret::share_one_heap();
    // Before anything else, while there is one thread.
    let socket = activation::take_socket();
    match args::parse() {
        Ok(args) => start::main(&args, socket),
        Err(status) => status,
    }
}
