//! Descriptors are numbered, and limited.

use std::os::fd::AsRawFd as _;

use rustix::process::{Resource, getrlimit};
use tokio::net::TcpStream;

/// The number under which the system knows a connection. The lowest free one is always taken.
pub(crate) fn descriptor(stream: &TcpStream) -> u64 {
    // One that is open is not negative.
    stream.as_raw_fd().unsigned_abs().into()
}

/// How many descriptors this process may have; no limit is None.
pub(crate) fn most_descriptors() -> Option<u64> {
    getrlimit(Resource::Nofile).current
}

/// As the daemon does: of the usual 1024 descriptors it would keep fewer.
#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) fn raise_the_limit() {
    use rustix::process::{Rlimit, setrlimit};

    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).unwrap();
}
