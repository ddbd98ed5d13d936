//! How many files and sockets the process may have open, and how many of them clients may have.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use securid_ipc::server::Room;

/// The most connections at once. A person's shells, hooks and builds have some dozens, each for a moment but
/// for those that hold a session. Idle, so many take less than a MiB.
const MOST: u64 = 256;

/// So many of the descriptors that there are stay the daemon's own, as a divisor: half of them. It needs one
/// for each attempt at a server, and some twenty for records, keyring, buses and the log.
const OWN_SHARE: u64 = 2;

/// Lets the process have as many as it may. The usual soft limit of 1024 is there for programs that call
/// `select`, which nothing here does; with a thousand sessions to revoke at several servers it could be
/// reached. A limit that cannot be raised is lived with.
pub(crate) fn raise_limit() {
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}

/// How many connections clients may have at once, so that they never take what records and servers need. The
/// watchdog's round trip is let in beyond that.
pub(crate) fn for_clients() -> Room {
    // None: without a limit.
    let descriptors = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let most = usize::try_from(MOST.min(descriptors / OWN_SHARE)).unwrap_or(usize::MAX);
    Room { most, always_for: Some(std::process::id()) }
}
