//! Handles are not limited, and their numbers say nothing; nor has Windows a limit on what goes without a sign that could be set
//! safely.

use std::time::Duration;

use tokio::net::TcpStream;

/// No number that says how many others there are.
pub(crate) fn descriptor(_: &TcpStream) -> u64 {
    0
}

/// No limit.
pub(crate) fn most_descriptors() -> Option<u64> {
    None
}

/// How long what is sent may go without a sign that it has arrived is the system's to say. Each exchange has a deadline of
/// its own all the same.
pub(crate) fn may_take(_: &TcpStream, _: Duration) {}

/// There is none.
#[cfg(test)]
pub(crate) fn raise_the_limit() {}

/// No way leads there (`WSAENETUNREACH`).
#[cfg(test)]
pub(crate) const UNREACHABLE: i32 = 10_051;
