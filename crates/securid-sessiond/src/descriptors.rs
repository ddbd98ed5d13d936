//! How many of the files and sockets that the process may have open clients may have.

use securid_ipc::server::Room;

use crate::limits;

/// The most connections at once. A person's shells, hooks and builds have some dozens, each for a moment but
/// for those that hold a session. Idle, so many take less than a MiB.
const MOST: u64 = 256;

/// So many of the descriptors that there are stay the daemon's own, as a divisor: half of them. It needs one
/// for each attempt at a server, and some twenty for records, keyring, buses and the log.
const OWN_SHARE: u64 = 2;

/// How many connections clients may have at once, so that they never take what records and servers need. The
/// watchdog's round trip is let in beyond that.
pub(crate) fn for_clients() -> Room {
    let most = usize::try_from(MOST.min(limits::descriptors() / OWN_SHARE)).unwrap_or(usize::MAX);
    Room { most, always_for: Some(std::process::id()) }
}
