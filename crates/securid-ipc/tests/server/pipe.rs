//! Pipes: whose they are, and what may be one.

use std::{io, os::windows::io::AsHandle as _, path::Path};

use securid_ipc::server::{BindError, ConnectionId, Listener};
use securid_windows::{
    descriptor::Descriptor,
    pipes::{
        client::Pipe,
        server::{client, client_has_gone, client_process, instance},
    },
    sid::this_user,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::{
    endpoint::{close, connect, is_there, place, private_folder},
    harness::{Event, Server, request},
};

/// What makes a pipe somebody else's is refused (`ERROR_INVALID_OWNER`).
const INVALID_OWNER: i32 = 1307;

#[tokio::test]
async fn a_live_daemon_is_respected_and_a_dead_one_leaves_nothing() {
    let home = private_folder();
    let path = place(home.path());
    let live = Listener::bind(&path).unwrap();
    assert_eq!(live.path(), path);
    assert!(!live.is_open_to_others());
    assert!(matches!(Listener::bind(&path), Err(BindError::InUse { .. })));
    // Nor is one whose places are all taken.
    let _waiting = connect(&path).await;
    assert!(matches!(Listener::bind(&path), Err(BindError::InUse { .. })));
    drop(live);
    drop(_waiting);
    assert!(!is_there(&path));
    Listener::bind(&path).unwrap();
}

/// Its end keeps the name from being free.
#[tokio::test]
async fn a_client_of_a_dead_daemon_does_not_keep_the_next_from_starting() {
    let home = private_folder();
    let path = place(home.path());
    let dead = Listener::bind(&path).unwrap();
    let _client = connect(&path).await.unwrap();
    drop(dead);
    let next = Listener::bind(&path).unwrap();
    let _another = connect(&path).await.unwrap();
    drop(next);
}

/// Else it would never see it, and we would keep what it does not read.
#[tokio::test(start_paused = true)]
async fn a_client_that_is_dropped_for_not_reading_is_cut_off() {
    let mut server = Server::start();
    let mut peer = server.connect().await;
    peer.send(request(1, "session.token", "a")).await;
    assert!(matches!(server.event().await, Event::Undelivered(_)));
    assert_eq!(server.event().await, Event::Closed(ConnectionId(0)));
    let pipe = peer.0.get_ref();
    assert!(client_has_gone(pipe.as_handle()), "it is still connected");
    let error = pipe.try_write(b"x").unwrap_err();
    assert_ne!(error.kind(), io::ErrorKind::WouldBlock, "{error}");
}

#[tokio::test]
async fn the_pipe_belongs_to_this_user_by_name() {
    let home = private_folder();
    let path = place(home.path());
    let _live = Listener::bind(&path).unwrap();
    let pipe = Pipe::open(&path).unwrap();
    let descriptor = pipe.descriptor().unwrap();
    assert_eq!(descriptor.owner(), Some(this_user().unwrap()));
    assert!(!descriptor.is_of_a_sandbox());
}

/// Windows lets nobody make a pipe that is not his own; Wine does.
#[tokio::test]
async fn a_name_that_somebody_else_has_is_told_to_be_his() {
    let home = private_folder();
    let path = place(home.path());
    let foreign = Descriptor::of("O:SYD:(A;;FA;;;WD)").unwrap();
    match instance(path.as_os_str(), &foreign, true, 4096) {
        Ok(_pipe) => {
            let error = Listener::bind(&path).unwrap_err();
            assert!(matches!(error, BindError::NotOurs { .. }), "{error}");
        }
        Err(error) => assert_eq!(error.raw_os_error(), Some(INVALID_OWNER), "{error}"),
    }
}

#[tokio::test]
async fn who_a_client_is_the_system_tells_once_something_was_read() {
    let home = private_folder();
    let path = place(home.path());
    let anybody = Descriptor::of("D:(A;;FA;;;WD)").unwrap();
    let mut pipe = instance(path.as_os_str(), &anybody, true, 4096).unwrap();
    let mut peer = connect(&path).await.unwrap();
    pipe.connect().await.unwrap();
    peer.write_all(b"x").await.unwrap();
    pipe.read_exact(&mut [0]).await.unwrap();
    let us = this_user().unwrap();
    assert_eq!(client(pipe.as_handle()).unwrap(), us);
    // It has become itself again.
    assert_eq!(this_user().unwrap(), us);
    assert_eq!(client_process(pipe.as_handle()), Some(std::process::id()));
    assert!(!client_has_gone(pipe.as_handle()));
    close(peer).await;
    assert!(client_has_gone(pipe.as_handle()));
}

#[tokio::test]
async fn what_is_no_pipe_of_this_machine_is_a_clear_error() {
    for path in [r"\\server\pipe\a", r"C:\a.sock", "a.sock", r"\\.\pipe\..\a"] {
        let error = Listener::bind(Path::new(path)).unwrap_err();
        assert!(matches!(error, BindError::NotAPipe { .. }), "{error}");
        assert!(error.to_string().ends_with(r"--socket, as \\.\pipe\NAME"), "{error}");
    }
}
