//! Linux gives a connection up by itself when what was sent has not arrived.

use std::time::Duration;

use socket2::SockRef;
use tokio::net::TcpStream;

/// How long what is sent may go without a sign that it has arrived, from now on.
pub(crate) fn may_take(stream: &TcpStream, within: Duration) {
    // Where the system does not take it, the one that it has is shorter.
    let _ = SockRef::from(stream).set_tcp_user_timeout(Some(within));
}

/// No way leads there (`ENETUNREACH`).
#[cfg(test)]
pub(crate) const UNREACHABLE: i32 = 101;
