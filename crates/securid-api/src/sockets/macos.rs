//! macOS has no such limit that could be set safely.

use std::time::Duration;

use tokio::net::TcpStream;

/// How long what is sent may go without a sign that it has arrived is the system's to say. Each exchange has a deadline of
/// its own all the same.
pub(crate) fn may_take(_: &TcpStream, _: Duration) {}

/// No way leads there (`ENETUNREACH`).
#[cfg(test)]
pub(crate) const UNREACHABLE: i32 = 51;
