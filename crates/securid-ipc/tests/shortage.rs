//! A server that has run out of descriptors. Alone in its file: the limit is the whole process's.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    fs,
    os::{fd::AsRawFd as _, unix::fs::PermissionsExt as _},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use securid_ipc::{
    messages::{Call, ErrorCode, Reply, RpcError},
    server::{ConnectionId, Listener, Notice, Room, Service, Wanted, serve},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::UnixStream,
    sync::watch,
    time::timeout,
};

#[derive(Default)]
struct Deaf {
    notices: AtomicUsize,
}

impl Service for Deaf {
    async fn call(self: Arc<Self>, _: ConnectionId, _: Call) -> Result<Reply, RpcError> {
        Err(RpcError::new(ErrorCode::ServerError, "not here"))
    }

    fn undelivered(&self, _: Reply) {}

    fn closed(&self, _: ConnectionId) {}

    fn notice(&self, notice: Notice) {
        assert!(matches!(notice, Notice::CannotAccept(_)), "{notice:?}");
        self.notices.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test]
async fn who_finds_no_descriptor_left_is_served_later() {
    let owner_only = fs::Permissions::from_mode(0o700);
    let home = tempfile::Builder::new().permissions(owner_only).tempdir().unwrap();
    let path = home.path().join("s.sock");
    let listener = Listener::bind(&path).unwrap();
    let mut clients = Vec::new();
    for _ in 0..20 {
        let mut client = UnixStream::connect(&path).await.unwrap();
        let hello = b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"daemon.hello\"}\n";
        client.write_all(hello).await.unwrap();
        clients.push(client);
    }
    // Five more descriptors, for five of the clients that already stand in the queue.
    let highest = clients.iter().map(|client| client.as_raw_fd()).max().unwrap();
    let limit = Rlimit { current: Some(highest as u64 + 6), ..getrlimit(Resource::Nofile) };
    setrlimit(Resource::Nofile, limit).unwrap();

    let (_wanted, is_wanted) = watch::channel(Wanted::Always);
    let room = Room { most: clients.len(), always_for: None };
    let deaf = Arc::new(Deaf::default());
    let serving = tokio::spawn(serve(listener, Arc::clone(&deaf), is_wanted, room));
    let mut byte = [0];
    let last = clients.last_mut().unwrap();
    let early = timeout(Duration::from_millis(300), last.read(&mut byte)).await;
    assert!(early.is_err(), "there was no shortage");
    for mut client in clients {
        let served = timeout(Duration::from_secs(30), client.read(&mut byte)).await;
        assert_eq!(served.expect("it was forgotten").unwrap(), 1);
    }
    assert!(!serving.is_finished());
    // It was tried ten times a second.
    assert_eq!(deaf.notices.load(Ordering::Relaxed), 1);
}
