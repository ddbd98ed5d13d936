//! Connections that have subscribed.

use std::{sync::atomic::Ordering, time::Duration};

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::harness::{Event, Peer, Server, soon, touched};

/// A client that has subscribed, and was answered.
pub(crate) async fn subscriber(server: &Server) -> Peer {
    let mut peer = server.connect().await;
    peer.send("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"events.subscribe\"}\n").await;
    assert_eq!(peer.answer().await, json!({ "jsonrpc": "2.0", "id": 1, "result": {} }));
    peer
}

fn event(seq: u64) -> Value {
    let params = json!({ "seq": seq, "event": "missed", "ends": 7 });
    json!({ "jsonrpc": "2.0", "method": "event", "params": params })
}

#[tokio::test]
async fn the_answer_comes_before_the_first_event_and_calls_are_answered_between_them() {
    let server = Server::start();
    server.fake.to_tell.add_permits(2);
    let mut peer = subscriber(&server).await;
    assert_eq!(peer.answer().await, event(1));
    assert_eq!(peer.answer().await, event(2));
    peer.call(2, "session.touch", "a").await;
    assert_eq!(peer.answer().await, touched(2, "a"));
    server.fake.to_tell.add_permits(1);
    assert_eq!(peer.answer().await, event(3));
}

#[tokio::test]
async fn who_has_not_subscribed_is_told_nothing() {
    let server = Server::start();
    server.fake.to_tell.add_permits(2);
    let mut peer = server.connect().await;
    peer.call(1, "session.touch", "a").await;
    assert_eq!(peer.answer().await, touched(1, "a"));
    peer.call(2, "session.touch", "b").await;
    assert_eq!(peer.answer().await, touched(2, "b"));
    assert_eq!(server.fake.told.load(Ordering::SeqCst), 0);
}

#[tokio::test(start_paused = true)]
async fn no_more_events_are_made_than_wait_in_the_socket_and_nobody_is_let_go_for_them() {
    let server = Server::start();
    server.fake.to_tell.add_permits(1_000_000);
    let mut peer = subscriber(&server).await;
    sleep(Duration::from_secs(3600)).await;
    let made = server.fake.told.load(Ordering::SeqCst);
    assert!((2..100).contains(&made), "{made} were made for one who does not read");
    for seq in 1..=200 {
        assert_eq!(peer.answer().await, event(seq), "none was lost");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_behind_an_unread_event_has_its_time_as_ever() {
    let mut server = Server::start();
    server.fake.to_tell.add_permits(1_000_000);
    let mut peer = subscriber(&server).await;
    sleep(Duration::from_secs(1)).await;
    peer.call(2, "session.touch", "a").await;
    sleep(Duration::from_secs(9)).await;
    assert!(server.events.try_recv().is_err());
    sleep(Duration::from_secs(2)).await;
    assert!(matches!(server.event().await, Event::Undelivered(_)));
    assert!(matches!(server.event().await, Event::Closed(_)));
}

#[tokio::test]
async fn who_watches_is_not_idle() {
    let server = Server::with_room_for(1, None);
    let mut peer = subscriber(&server).await;
    let mut refused = server.connect().await;
    assert_eq!(refused.answer().await["error"]["code"], -32011);
    server.fake.to_tell.add_permits(1);
    assert_eq!(peer.answer().await, event(1));
}

#[tokio::test]
async fn when_there_will_be_no_more_events_the_connection_goes_on() {
    let server = Server::start();
    let mut peer = subscriber(&server).await;
    server.fake.to_tell.close();
    peer.call(2, "session.touch", "a").await;
    assert_eq!(peer.answer().await, touched(2, "a"));
}

#[tokio::test]
async fn a_watcher_that_goes_is_seen_to_go() {
    let mut server = Server::start();
    drop(subscriber(&server).await);
    assert!(matches!(soon(server.event()).await, Event::Closed(_)));
}
