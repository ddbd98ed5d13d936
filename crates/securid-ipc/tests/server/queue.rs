//! Clients that have come before the server had a look.

use std::time::Duration;

use securid_ipc::{
    messages::Reply,
    server::{ConnectionId, Wanted},
};
use tokio::{io::BufReader, net::UnixStream};

use crate::{
    endpoint::{connect, connect_at_once, is_there},
    harness::{Event, Peer, Server, request, soon, touched},
};

/// The server has not run since they connected, so that the stop comes before it sees any of them.
#[tokio::test]
async fn a_stop_leaves_nobody_without_an_answer_who_was_there_before() {
    let server = Server::start();
    let mut idle = server.connect().await;
    idle.call(1, "session.touch", "a").await;
    assert_eq!(idle.answer().await, touched(1, "a"));
    let mut waiting: Vec<_> = (0..10)
        .map(|id| {
            let mut stream = connect_at_once(&server.path());
            std::io::Write::write_all(&mut stream, request(id, "session.touch", "b").as_bytes())
                .unwrap();
            stream
        })
        .collect();
    idle.call(2, "session.touch", "c").await;
    server.wanted.send_replace(Wanted::NoLonger);
    assert_eq!(idle.answer().await, touched(2, "c"));
    for (id, stream) in (0..).zip(waiting.drain(..)) {
        stream.set_nonblocking(true).unwrap();
        let mut peer = Peer(BufReader::new(UnixStream::from_std(stream).unwrap()));
        assert_eq!(peer.answer().await, touched(id, "b"));
    }
    assert!(connect(&server.path()).await.is_err(), "it still takes connections");
}

/// It may be a login, and nobody has asked the daemon to stop.
#[tokio::test(start_paused = true)]
async fn who_comes_as_it_leaves_has_his_call_carried_out() {
    let mut server = Server::start();
    // The server has not run since, so that it leaves before it sees him.
    let mut stream = connect_at_once(&server.path());
    std::io::Write::write_all(&mut stream, request(1, "session.hold", "a").as_bytes()).unwrap();
    server.wanted.send_replace(Wanted::WhileConnected);
    soon(server.running.recv()).await.unwrap();
    assert!(!is_there(&server.path()), "it did not leave");
    tokio::time::sleep(Duration::from_secs(20)).await;
    server.fake.gate.add_permits(1);
    // He was not told in time, so his token goes back.
    assert!(matches!(server.event().await, Event::Undelivered(Reply::Held(_))));
    assert_eq!(server.event().await, Event::Closed(ConnectionId(0)));
    soon(server.serving).await.unwrap();
}
