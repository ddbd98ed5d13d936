//! Servers that never stop talking: each is given up in time, and takes no memory.
//!
//! In a process of its own, because it looks at what the process takes.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod responder;

use std::time::{Duration, Instant};

use responder::{Act, Responder, token};
use securid_api::{FailureKind, Format, LogoutReply};

/// Time for hundreds of megabytes over loopback.
const DEADLINE: Duration = Duration::from_millis(500);

/// The most memory that the process has had, in KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[tokio::test]
async fn who_never_stops_is_given_up_and_takes_no_memory() {
    let ok = "HTTP/1.1 200 OK\r\n";
    let chunked = format!("{ok}Transfer-Encoding: chunked\r\n\r\n");
    let block = |piece: &str| piece.repeat(64 * 1024 / piece.len()).into_bytes();
    // Whether a bound or the deadline comes first depends on the machine; what is no part of an
    // answer has no bound but the deadline.
    let any = [FailureKind::NotConfirmed, FailureKind::Cut, FailureKind::Timeout].as_slice();
    let too_late = [FailureKind::Timeout].as_slice();
    for (what, head, part, kinds) in [
        ("100 Continue", String::new(), block("HTTP/1.1 100 Continue\r\n\r\n"), too_late),
        ("103 with headers", String::new(), block("HTTP/1.1 103 E\r\nA: bcdefg\r\n\r\n"), too_late),
        ("one header", format!("{ok}A: "), block("x"), any),
        ("headers", ok.to_owned(), block("A: b\r\n"), any),
        ("reason", "HTTP/1.1 200 ".to_owned(), block("x"), any),
        ("line ends", String::new(), block("\r\n"), any),
        ("content", format!("{ok}\r\n"), block(" "), any),
        (
            "content of a length",
            format!("{ok}Content-Length: 999999999999\r\n\r\n"),
            block(" "),
            any,
        ),
        ("chunks", chunked.clone(), block("1\r\n \r\n"), any),
        ("size of a chunk", chunked.clone(), block("0"), any),
        ("extension of a chunk", format!("{chunked}1;"), block("x"), any),
        ("extensions of chunks", chunked.clone(), block("1;abcdefghijklmnopqrst=v\r\n \r\n"), any),
        ("one trailer", format!("{chunked}0\r\nA: "), block("x"), any),
        ("trailers", format!("{chunked}0\r\n"), block("A: b\r\n"), any),
    ] {
        let server = Responder::start(Act::Flood(head.into(), part)).await;
        let client = server.client(Format::Json);
        let (before, started) = (peak(), Instant::now());
        let reply = client.logout(&token(), DEADLINE).await;
        let LogoutReply::Unconfirmed(failure) = reply else { panic!("{what}: {reply:?}") };
        assert!(kinds.contains(&failure.kind), "{what}: {:?} {failure}", failure.kind);
        assert!(started.elapsed() < DEADLINE * 6, "{what}: {:?}", started.elapsed());
        assert!(peak() - before < 4 * 1024, "{what}: {before} KiB, then {}", peak());
    }
}
