//! Clients that have said all that they want to say, and still listen.

use std::time::Duration;

use securid_ipc::server::ConnectionId;
use tokio::{io::AsyncWriteExt as _, time::sleep};

use crate::{
    events::subscriber,
    harness::{Event, Server, request, soon, touched},
};

#[tokio::test]
async fn a_half_closed_client_gets_its_replies_and_then_is_closed() {
    let mut server = Server::start();
    let mut peer = server.connect().await;
    peer.send(request(1, "session.hold", "a") + &request(2, "session.touch", "b")).await;
    peer.0.get_mut().shutdown().await.unwrap();
    assert_eq!(peer.answer().await, touched(2, "b"));
    soon(server.running.recv()).await.unwrap();
    assert!(server.events.try_recv().is_err(), "closed before its replies were out");
    server.fake.gate.add_permits(1);
    assert_eq!(peer.answer().await, touched(1, "a"));
    peer.is_closed().await;
    assert_eq!(server.event().await, Event::Closed(ConnectionId(0)));
}

#[tokio::test]
async fn a_last_line_without_newline_is_not_carried_out() {
    let mut server = Server::start();
    let mut peer = server.connect().await;
    peer.send(request(1, "session.hold", "a").trim_end()).await;
    peer.0.get_mut().shutdown().await.unwrap();
    assert_eq!(peer.answer().await["error"]["code"], -32700);
    peer.is_closed().await;
    assert_eq!(server.event().await, Event::Closed(ConnectionId(0)));
    assert!(server.running.try_recv().is_err());
}

#[tokio::test(start_paused = true)]
async fn a_half_closed_one_is_told_nothing_more_and_closed_whether_it_reads_or_not() {
    let mut server = Server::start();
    let mut peer = subscriber(&server).await;
    peer.send(request(2, "session.touch", "last")).await;
    peer.0.get_mut().shutdown().await.unwrap();
    assert_eq!(peer.answer().await, touched(2, "last"));
    peer.is_closed().await;
    assert!(matches!(server.event().await, Event::Closed(_)));

    server.fake.to_tell.add_permits(1_000_000);
    let mut deaf = subscriber(&server).await;
    sleep(Duration::from_secs(1)).await;
    deaf.0.get_mut().shutdown().await.unwrap();
    assert!(matches!(server.event().await, Event::Closed(_)));
}
