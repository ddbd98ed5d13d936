//! A daemon that stands still.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::os::unix::net::UnixListener;

use super::*;
use crate::messages::StatusView;

#[test]
fn a_daemon_that_has_let_its_socket_fill_up_is_unresponsive() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("s.sock");
    let _frozen = UnixListener::bind(&path).unwrap();
    let mut client = Client::connect(&[path]).unwrap();
    while client.stream.write_all(&[b'x'; 4096], Duration::from_millis(10)).is_ok() {}
    let started = Instant::now();
    let error = client.call::<StatusView>(&Call::Status, LIVE_WITHIN * 30).unwrap_err();
    assert!(matches!(error, ClientError::Unresponsive { .. }), "{error}");
    assert!(started.elapsed() < LIVE_WITHIN * 3, "{:?}", started.elapsed());
}
